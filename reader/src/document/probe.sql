-- Whether the replica answers, and where it stands. Answer: one row, document always null.
-- Index: none, checkpoint has one row.
select
    checkpoint.epoch,
    checkpoint.position,
    null::text as document
from checkpoint
where checkpoint.only_row
