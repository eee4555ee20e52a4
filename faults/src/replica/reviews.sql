-- All reviews, dates in milliseconds since 1970. Index: none, every row is read.
select
    id, product_id, rating::bigint, (extract(epoch from date) * 1000)::bigint, summary, body, recommend, reported,
    reviewer_name, reviewer_email, helpfulness
from reviews
