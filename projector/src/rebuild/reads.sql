-- What to ask two generations for: products spread over the list and those of the newest reviews and questions, the newest
-- questions, some sessions. Answer: a row for each: kind, id, session. Indexes: product_documents_pkey, reviews_pkey,
-- questions_pkey, cart_lines_pkey.
with spread as (
    select product_id
    from product_documents
    where
        ordinal in (
            select 1 + place * greatest((select max(ordinal) from product_documents) / 60, 1)
            from generate_series(0, 59) as place
        )
),
reviewed as (
    select product_id from (select id, product_id from reviews order by id desc limit 60) as newest
),
asked as (
    select id, product_id from questions order by id desc limit 60
)
select 'product' as kind, product_id as id, null as session
from (
    select product_id from spread
    union
    select product_id from reviewed
    union
    select product_id from asked
) as products
union all
select 'question', id, null from asked
union all
(select 'session', 0, session from cart_lines order by session limit 60)
