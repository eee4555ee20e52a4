-- All ratings of characteristics. Index: none, every row is read.
select id, characteristic_id, review_id, value::bigint from characteristic_ratings
