-- Which products new questions may refer to. $1 product ids. Answer: one row with the snapshot's position and epoch.
-- While a catalogue is being imported its tables have no keys, so they are not looked into.
-- Indexes: products_pkey, catalogue_pkey, checkpoint_pkey.
select
    position,
    epoch,
    exists (select from catalogue where closed is null) as importing,
    exists (select from catalogue where closed is not null) as complete,
    array(
        select id
        from products
        where id = any($1::bigint[]) and not exists (select from catalogue where closed is null)
    ) as known
from checkpoint
