-- How many products there are. Answer: one row. Index: product_documents_pkey, its end.
select coalesce(max(ordinal), 0) from live.product_documents
