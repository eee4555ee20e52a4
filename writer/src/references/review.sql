-- What a vote or a report refers to. $1 review id. Answer: one row with the snapshot's position.
-- Indexes: reviews_pkey, catalogue_pkey, checkpoint_pkey.
select
    position,
    exists (select from catalogue where closed is null) as importing,
    exists (select from catalogue where closed is not null) as complete,
    exists (select from reviews where id = $1) as known
from checkpoint
