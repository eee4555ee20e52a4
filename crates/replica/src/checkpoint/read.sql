-- Where the generation stands. Answer: one row. Index: checkpoint_pkey, catalogue_pkey (one row each).
select
    position,
    epoch,
    event_hash,
    fence,
    step,
    clock,
    projection_version,
    exists (select from catalogue where closed is null) as importing
from checkpoint
