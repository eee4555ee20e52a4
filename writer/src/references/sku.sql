-- What a cart line refers to. $1 sku id. Answer: one row with the snapshot's position.
-- Indexes: skus_pkey, catalogue_pkey, checkpoint_pkey.
select
    position,
    exists (select from catalogue where closed is null) as importing,
    exists (select from catalogue where closed is not null) as complete,
    exists (select from skus where id = $1) as known
from checkpoint
