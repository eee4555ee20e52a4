-- Which of the things that a batch names exist. $1 product ids, $2 sku ids, $3 review ids, $4 characteristic ids,
-- $5 question ids, $6 answer ids. All of them come with the catalogue or belong to something that did, so nothing counts
-- before it is closed: answers are not built until then, and its tables have no keys by which to look.
-- Indexes: products_pkey, skus_pkey, reviews_pkey, characteristics_pkey, questions_pkey, answers_pkey, catalogue_pkey.
select 'product' as kind, id, null::bigint as product_id
from products
where id = any($1::bigint[]) and exists (select from catalogue where closed is not null)
union all
select 'sku', id, null
from skus
where id = any($2::bigint[]) and exists (select from catalogue where closed is not null)
union all
select 'review', id, null
from reviews
where id = any($3::bigint[]) and exists (select from catalogue where closed is not null)
union all
select 'characteristic', id, product_id
from characteristics
where id = any($4::bigint[]) and exists (select from catalogue where closed is not null)
union all
select 'question', id, null
from questions
where id = any($5::bigint[]) and exists (select from catalogue where closed is not null)
union all
select 'answer', id, null
from answers
where id = any($6::bigint[]) and exists (select from catalogue where closed is not null)
