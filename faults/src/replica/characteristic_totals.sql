-- All characteristics' totals. Index: none, every row is read.
select product_id, characteristic_id, ratings, total from characteristic_totals
