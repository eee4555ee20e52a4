-- Where a copied generation stands: where its source stood in the snapshot. $1 position, $2 epoch, $3 event hash, $4 clock,
-- $5 projection version; $6 the fence as remembered. Index: checkpoint_pkey (one row).
update checkpoint
set position = $1, epoch = $2, event_hash = $3, clock = $4, projection_version = $5, step = 0
where fence = $6
