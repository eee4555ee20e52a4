-- All questions, dates in milliseconds since 1970. Index: none, every row is read.
select
    id, product_id, body, (extract(epoch from date) * 1000)::bigint, asker_name, asker_email, reported, helpfulness
from questions
