-- The product with the fewest reviews of those that have at least $1 that are shown; when none has, the one with the most.
-- Answer: one row, its id and how many are shown; none when there are no reviews. Index: none, all totals are read.
select product_id, reviews
from (
    select product_id, rating_1 + rating_2 + rating_3 + rating_4 + rating_5 as reviews
    from live.review_totals
) as totals
order by reviews >= $1 desc, case when reviews >= $1 then reviews else -reviews end
limit 1
