-- GET /cart: a session's lines, the oldest first.
-- $1 the session's keyed hash, text; empty when the caller has none. Answer: one row, `[]` when there are no lines.
-- Index: cart_lines_pkey, all lines of a session; checkpoint has one row.
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
        where session = $1::text
    ) as document
from checkpoint
where checkpoint.only_row
