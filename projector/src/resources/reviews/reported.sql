-- review.reported: hides reviews and takes them out of the totals; one that is hidden already changes nothing.
-- $1 review ids. Indexes: reviews_pkey, review_totals_pkey, characteristic_ratings_review_id,
-- characteristic_totals_pkey.
with hidden as (
    update reviews
    set reported = true
    where id = any($1::bigint[]) and not reported
    returning id, product_id, rating, recommend
),
product_sums as (
    select
        product_id,
        count(*) filter (where rating = 1) as rating_1,
        count(*) filter (where rating = 2) as rating_2,
        count(*) filter (where rating = 3) as rating_3,
        count(*) filter (where rating = 4) as rating_4,
        count(*) filter (where rating = 5) as rating_5,
        count(*) filter (where recommend) as recommended,
        count(*) filter (where not recommend) as not_recommended
    from hidden
    group by product_id
),
products_lowered as (
    update review_totals
    set
        rating_1 = review_totals.rating_1 - product_sums.rating_1,
        rating_2 = review_totals.rating_2 - product_sums.rating_2,
        rating_3 = review_totals.rating_3 - product_sums.rating_3,
        rating_4 = review_totals.rating_4 - product_sums.rating_4,
        rating_5 = review_totals.rating_5 - product_sums.rating_5,
        recommended = review_totals.recommended - product_sums.recommended,
        not_recommended = review_totals.not_recommended - product_sums.not_recommended
    from product_sums
    where review_totals.product_id = product_sums.product_id
),
characteristic_sums as (
    select hidden.product_id, ratings.characteristic_id, count(*) as ratings, sum(ratings.value) as total
    from hidden
    join characteristic_ratings as ratings on ratings.review_id = hidden.id
    group by hidden.product_id, ratings.characteristic_id
)
update characteristic_totals
set
    ratings = characteristic_totals.ratings - characteristic_sums.ratings,
    total = characteristic_totals.total - characteristic_sums.total
from characteristic_sums
where characteristic_totals.product_id = characteristic_sums.product_id
    and characteristic_totals.characteristic_id = characteristic_sums.characteristic_id
