-- The replica goes on just below the beginning of another life of the stream; whoever applies to it is fenced.
-- $1 position, $2 epoch; $3 position, $4 epoch, $5 event hash as remembered. Index: checkpoint_pkey (one row).
update checkpoint
set position = $1, epoch = $2, event_hash = '', fence = fence + 1
where position = $3 and epoch = $4 and event_hash = $5 and step = 0
