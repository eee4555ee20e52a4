-- All cart lines. Index: none, every row is read.
select session, sku_id, count, added from cart_lines
