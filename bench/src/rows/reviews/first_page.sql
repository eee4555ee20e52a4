-- What GET /reviews?product_id=N must show. $1 product id. Answer: the reviews' ids in order.
-- Index: reviews_relevant.
select id
from live.reviews
where
    product_id = $1
    and not reported
order by helpfulness desc, date desc, id desc
limit 5
