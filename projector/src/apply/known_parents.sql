-- Which of the things that a batch names exist. $1 product ids, $2 review ids, $3 characteristic ids.
-- Products count once their catalogue is closed: before, their answers are not built.
-- Indexes: products_pkey, reviews_pkey, characteristics_pkey, catalogue_pkey.
select 'product' as kind, id, null::bigint as product_id
from products
where id = any($1::bigint[]) and exists (select from catalogue where closed is not null)
union all
select 'review', id, null
from reviews
where id = any($2::bigint[])
union all
select 'characteristic', id, product_id
from characteristics
where id = any($3::bigint[])
