-- Makes the carts of the imported lines, one piece each; run once, when the catalogue closes. Answer: nothing; one row of
-- cart_lines for each session and sku. Index: none, every line is read once.
insert into cart_lines (session, sku_id, count, added)
select session, sku_id, count(*), min(id)
from legacy_cart_lines
group by session, sku_id
order by session, sku_id
