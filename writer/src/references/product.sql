-- What a new question refers to. $1 product id. Answer: one row with the snapshot's position.
-- Indexes: products_pkey, catalogue_pkey, checkpoint_pkey.
select
    position,
    exists (select from catalogue where closed is null) as importing,
    exists (select from catalogue where closed is not null) as complete,
    exists (select from products where id = $1) as known
from checkpoint
