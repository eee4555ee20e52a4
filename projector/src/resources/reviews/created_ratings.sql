-- review.created: ratings of characteristics, and their totals.
-- $1 ids, $2 product ids, $3 characteristic ids, $4 review ids, $5 values.
-- Indexes: characteristic_ratings_pkey, characteristic_totals_pkey.
with created as (
    select *
    from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::smallint[])
        as created (id, product_id, characteristic_id, review_id, value)
),
inserted as (
    insert into characteristic_ratings (id, characteristic_id, review_id, value)
    select id, characteristic_id, review_id, value from created
),
sums as (
    select product_id, characteristic_id, count(*) as ratings, sum(value) as total
    from created
    group by product_id, characteristic_id
)
update characteristic_totals
set ratings = characteristic_totals.ratings + sums.ratings, total = characteristic_totals.total + sums.total
from sums
where characteristic_totals.product_id = sums.product_id
    and characteristic_totals.characteristic_id = sums.characteristic_id
