-- answer.created: photos. $1 ids, $2 answer ids, $3 URLs. Index: answer_photos_pkey.
insert into answer_photos (id, answer_id, url)
select id, answer_id, url
from unnest($1::bigint[], $2::bigint[], $3::text[]) as photos (id, answer_id, url)
