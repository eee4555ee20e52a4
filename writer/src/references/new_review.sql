-- What POST /reviews refers to. $1 product id, $2 characteristic ids.
-- Answer: one row; characteristics and products are parallel arrays of those that exist.
-- While a catalogue is being imported its tables have no keys, so they are not looked into.
-- Indexes: products_pkey, characteristics_pkey, catalogue_pkey.
select
    exists (select from catalogue where closed is null) as importing,
    exists (select from catalogue where closed is not null) as complete,
    case
        when exists (select from catalogue where closed is null) then false
        else exists (select from products where id = $1)
    end as known,
    coalesce(array_agg(found.id), '{}') as characteristics,
    coalesce(array_agg(found.product_id), '{}') as products
from (
    select id, product_id
    from characteristics
    where id = any($2::bigint[]) and not exists (select from catalogue where closed is null)
) as found
