-- One index for each order that GET /reviews knows; reported reviews are never listed, so they are not in it.
create index reviews_newest on reviews (product_id, date desc, id desc) where not reported;
create index reviews_helpful on reviews (product_id, helpfulness desc, id desc) where not reported;
create index reviews_relevant on reviews (product_id, helpfulness desc, date desc, id desc) where not reported;
-- A report takes its review's ratings out of the totals.
create index characteristic_ratings_review_id on characteristic_ratings (review_id, id);
