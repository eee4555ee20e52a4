-- Ids of all products. Index: products_pkey.
select id from products
