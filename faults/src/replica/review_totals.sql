-- All products' totals. Index: none, every row is read.
select product_id, rating_1, rating_2, rating_3, rating_4, rating_5, recommended, not_recommended from review_totals
