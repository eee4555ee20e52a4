-- How far a replica is with a catalogue that is wholly in the stream. Its rows are loaded once a step of the closing
-- is done: steps begin when all of them are.
select
    step <> 0 or exists (select from live.catalogue where closed is not null) as loaded,
    exists (select from live.catalogue where closed is not null) as closed
from live.checkpoint
