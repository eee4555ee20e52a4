-- What ordinary events refer to: products with their characteristics, some skus, and some imported reviews, questions and
-- answers. Answer: one row for each product: its id, its characteristics.
select products.id, coalesce(array_agg(characteristics.id order by characteristics.id), '{}')
from live.products
join live.characteristics on characteristics.product_id = products.id
group by products.id
order by products.id
