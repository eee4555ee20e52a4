-- Counts the imported reviews that are not reported, by rating and recommendation; run once, when the catalogue
-- closes. Answer: nothing; one row of review_totals for each product that has such a review.
-- Index: none, every review is read once.
insert into review_totals (
    product_id, rating_1, rating_2, rating_3, rating_4, rating_5, recommended, not_recommended
)
select
    product_id,
    count(*) filter (where rating = 1),
    count(*) filter (where rating = 2),
    count(*) filter (where rating = 3),
    count(*) filter (where rating = 4),
    count(*) filter (where rating = 5),
    count(*) filter (where recommend),
    count(*) filter (where not recommend)
from reviews
where not reported
group by product_id
order by product_id
