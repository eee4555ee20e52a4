-- The first checkpoint of a generation: before the stream's first event. $1 position, $2 epoch, $3 projection version.
-- Index: checkpoint_pkey.
insert into checkpoint (only_row, position, epoch, event_hash, fence, step, clock, projection_version)
values (true, $1, $2, '', 0, 0, 0, $3)
on conflict (only_row) do nothing
