-- question.created: the questions of a batch.
-- $1 ids, $2 product ids, $3 times in ms since 1970, $4 bodies, $5 names, $6 sealed addresses. Index: questions_pkey.
insert into questions (id, product_id, body, date, asker_name, asker_email, reported, helpfulness)
select
    id, product_id, body, timestamp 'epoch' + time * interval '1 millisecond', name, email, false, 0
from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[])
    as created (id, product_id, time, body, name, email)
