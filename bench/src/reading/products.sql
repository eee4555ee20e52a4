-- Every product that can be asked for. Answer: their ids in order.
select product_id
from live.product_documents
order by product_id
