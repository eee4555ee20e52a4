-- All photos of answers. Index: none, every row is read.
select id, answer_id, url from answer_photos
