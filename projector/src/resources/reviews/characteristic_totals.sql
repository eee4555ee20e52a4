-- Sums the imported ratings of each characteristic over reviews that are not reported; run once, when the catalogue
-- closes. Answer: nothing; one row of characteristic_totals for each characteristic, also for one that nobody rated.
-- Every rating is read once and kept out by a hash of the few reviews that are reported: one of all others would not fit
-- into memory. Index: none.
insert into characteristic_totals (product_id, characteristic_id, name, ratings, total)
select
    characteristics.product_id,
    characteristics.id,
    characteristics.name,
    coalesce(sums.ratings, 0),
    coalesce(sums.total, 0)
from characteristics
left join (
    select ratings.characteristic_id, count(*) as ratings, sum(ratings.value) as total
    from characteristic_ratings as ratings
    where not exists (select from reviews where reviews.id = ratings.review_id and reviews.reported)
    group by ratings.characteristic_id
) as sums on sums.characteristic_id = characteristics.id
order by characteristics.product_id, characteristics.id
