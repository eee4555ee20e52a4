-- GET /products/:product_id/related: the answer that was made when the catalogue closed.
-- $1 product id. Answer: one row; document null when there is no such product.
-- Index: product_documents_product_id_key; checkpoint has one row.
select
    checkpoint.epoch,
    checkpoint.position,
    (
        select related
        from product_documents
        where product_id = $1::bigint
    )::text as document
from checkpoint
where checkpoint.only_row
