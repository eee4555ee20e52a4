-- One rejection. $1 position. Answer: no row or one: event_type, reason. Index: rejections_pkey.
select event_type, reason
from rejections
where position = $1
