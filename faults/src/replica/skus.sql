-- Ids of all skus. Index: skus_pkey.
select id from skus
