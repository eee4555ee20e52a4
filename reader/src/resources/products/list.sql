-- GET /products: one page of the list, ready objects in id order.
-- $1 rows before the page, $2 rows of the page. Answer: one row, `[]` past the end and while the catalogue is being
-- imported.
-- Index: product_documents_pkey, a range of ordinals; checkpoint and catalogue have one row.
select
    checkpoint.epoch,
    checkpoint.position,
    (
        select coalesce(json_agg(page.listing), '[]')
        from (
            select listing
            from product_documents
            where
                ordinal > $1::bigint
                and ordinal <= $1::bigint + $2::bigint
                and exists (select from catalogue where closed is not null)
            order by ordinal
        ) as page
    )::text as document
from checkpoint
where checkpoint.only_row
