-- answer.reported: hides answers; one that is hidden already changes nothing. $1 answer ids. Index: answers_pkey.
update answers
set reported = true
where id = any($1::bigint[]) and not reported
