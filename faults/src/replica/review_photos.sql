-- All photos of reviews. Index: none, every row is read.
select id, review_id, url from review_photos
