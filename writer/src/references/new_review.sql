-- What new reviews may refer to. $1 product ids, $2 characteristic ids. Answer: one row with the snapshot's position and
-- epoch; characteristics and products are parallel arrays of the characteristics that exist.
-- While a catalogue is being imported its tables have no keys, so they are not looked into.
-- Indexes: products_pkey, characteristics_pkey, catalogue_pkey, checkpoint_pkey.
select
    checkpoint.position,
    checkpoint.epoch,
    exists (select from catalogue where closed is null) as importing,
    exists (select from catalogue where closed is not null) as complete,
    array(
        select id
        from products
        where id = any($1::bigint[]) and not exists (select from catalogue where closed is null)
    ) as known,
    found.characteristics,
    found.products
from checkpoint
cross join (
    select
        coalesce(array_agg(id), '{}') as characteristics,
        coalesce(array_agg(product_id), '{}') as products
    from characteristics
    where id = any($2::bigint[]) and not exists (select from catalogue where closed is null)
) as found
