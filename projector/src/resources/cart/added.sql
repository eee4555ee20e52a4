-- cart.added: what a batch adds to carts; one line for each session and sku, whose count adds up.
-- $1 positions, $2 sessions, $3 sku ids, $4 counts. Index: cart_lines_pkey.
insert into cart_lines (session, sku_id, count, added)
select session, sku_id, sum(count), min(position)
from unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[]) as added (position, session, sku_id, count)
group by session, sku_id
on conflict (session, sku_id) do update
set count = cart_lines.count + excluded.count
