-- What an answer, a vote or a report refers to. $1 question id. Answer: one row with the snapshot's position.
-- Indexes: questions_pkey, catalogue_pkey, checkpoint_pkey.
select
    position,
    exists (select from catalogue where closed is null) as importing,
    exists (select from catalogue where closed is not null) as complete,
    exists (select from questions where id = $1) as known
from checkpoint
