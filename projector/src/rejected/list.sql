-- Rejections, the newest first. $1 before this position, $2 how many. Answer: position, event_type, reason. Index:
-- rejections_pkey.
select position, event_type, reason
from rejections
where position < $1
order by position desc
limit $2
