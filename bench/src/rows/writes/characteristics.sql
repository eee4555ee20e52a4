-- What a new review of each product may rate. Answer: each product with the ids of its characteristics, at most 4000 products.
select
    product_documents.product_id,
    coalesce(array_agg(characteristics.id order by characteristics.id) filter (where characteristics.id is not null), '{}')
from live.product_documents
left join live.characteristics on characteristics.product_id = product_documents.product_id
group by product_documents.product_id
order by product_documents.product_id
limit 4000
