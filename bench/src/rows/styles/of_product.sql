-- What GET /products/N/styles must show. $1 product id. Answer: the styles' ids in order.
select id
from live.styles
where product_id = $1
order by id
