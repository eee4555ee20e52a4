-- What POST /reviews refers to. $1 product id, $2 characteristic ids.
-- Answer: one row; characteristics and products are parallel arrays of those that exist.
-- Indexes: products_pkey, characteristics_pkey, catalogue_pkey.
select
    exists (select from catalogue where closed is null) as importing,
    exists (select from catalogue where closed is not null) as complete,
    exists (select from products where id = $1) as known,
    coalesce(array_agg(found.id), '{}') as characteristics,
    coalesce(array_agg(found.product_id), '{}') as products
from (select id, product_id from characteristics where id = any($2::bigint[])) as found
