-- What a new question refers to. $1 product id. Answer: one row with the snapshot's position.
-- While a catalogue is being imported its tables have no keys, so they are not looked into.
-- Indexes: products_pkey, catalogue_pkey, checkpoint_pkey.
select
    position,
    exists (select from catalogue where closed is null) as importing,
    exists (select from catalogue where closed is not null) as complete,
    case
        when exists (select from catalogue where closed is null) then false
        else exists (select from products where id = $1)
    end as known
from checkpoint
