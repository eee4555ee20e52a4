-- $1 products at random, of the last tenth of the list. Answer: their places and ids.
-- Index: product_documents_pkey, a range of ordinals.
select ordinal, product_id
from live.product_documents
where ordinal > (select max(ordinal) from live.product_documents) * 9 / 10
order by hashint8extended(product_id, 1)
limit $1
