-- Puts rejected events on record. $1 positions, $2 types, $3 reasons. Index: rejections_pkey.
insert into rejections (position, event_type, reason)
select position, event_type, reason
from unnest($1::bigint[], $2::text[], $3::text[]) as rejected (position, event_type, reason)
