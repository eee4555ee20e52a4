-- The compare-and-set of the checkpoint: changes one row, or none when another projector was here.
-- $1 position, $2 event hash, $3 clock, $4 projection version; $5 position, $6 epoch, $7 fence, $8 step as remembered.
-- Index: checkpoint_pkey (one row).
update checkpoint
set position = $1, event_hash = $2, clock = $3, projection_version = $4, step = 0
where position = $5 and epoch = $6 and fence = $7 and step = $8
