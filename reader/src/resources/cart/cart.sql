-- GET /cart: a session's lines, the oldest first.
-- $1 the session's keyed hash, text; empty when the caller has none. Answer: one row, `[]` when there are no lines.
-- While the catalogue is being imported there are none: what is known of its carts then is no cart yet.
-- Index: cart_lines_pkey, all lines of a session; checkpoint and catalogue have one row.
select
    checkpoint.epoch,
    checkpoint.position,
    (
        select
            concat(
                '[',
                string_agg(concat('{"sku_id":', sku_id, ',"count":"', count, '"}'), ',' order by added, sku_id),
                ']'
            )
        from cart_lines
        where session = $1::text and exists (select from catalogue where closed is not null)
    ) as document
from checkpoint
where checkpoint.only_row
