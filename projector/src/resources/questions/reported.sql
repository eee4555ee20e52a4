-- question.reported: hides questions; one that is hidden already changes nothing. $1 question ids. Index: questions_pkey.
update questions
set reported = true
where id = any($1::bigint[]) and not reported
