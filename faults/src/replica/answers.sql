-- All answers, dates in milliseconds since 1970. Index: none, every row is read.
select
    id, question_id, body, (extract(epoch from date) * 1000)::bigint, answerer_name, answerer_email, reported,
    helpfulness
from answers
