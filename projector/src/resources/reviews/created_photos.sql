-- review.created: photos. $1 ids, $2 review ids, $3 URLs. Index: review_photos_pkey.
insert into review_photos (id, review_id, url)
select id, review_id, url
from unnest($1::bigint[], $2::bigint[], $3::text[]) as photos (id, review_id, url)
