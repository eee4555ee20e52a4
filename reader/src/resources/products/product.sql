-- GET /products/:product_id: the answer that was made when the catalogue closed.
-- $1 product id. Answer: one row; document null when there is no such product, and while the catalogue is being
-- imported: its answers are made in steps, and count when the last one is done.
-- Index: product_documents_product_id_key; checkpoint and catalogue have one row.
select
    checkpoint.epoch,
    checkpoint.position,
    (
        select product
        from product_documents
        where product_id = $1::bigint and exists (select from catalogue where closed is not null)
    )::text as document
from checkpoint
where checkpoint.only_row
