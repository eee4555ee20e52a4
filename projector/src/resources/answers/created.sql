-- answer.created: the answers of a batch.
-- $1 ids, $2 question ids, $3 times in ms since 1970, $4 bodies, $5 names, $6 sealed addresses. Index: answers_pkey.
insert into answers (id, question_id, body, date, answerer_name, answerer_email, reported, helpfulness)
select
    id, question_id, body, timestamp 'epoch' + time * interval '1 millisecond', name, email, false, 0
from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[])
    as created (id, question_id, time, body, name, email)
