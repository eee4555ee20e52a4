-- Writes imported reviews' photos beside them, as GET /reviews lists them; run once, when the catalogue closes, before
-- reviews have indexes. Answer: nothing. Index: none, all photos and reviews are read once.
update reviews
set photos = listed.photos
from (
    select review_id, string_agg(concat('{"id":', id, ',"url":', to_json(url), '}'), ',' order by id) as photos
    from review_photos
    group by review_id
) as listed
where reviews.id = listed.review_id
