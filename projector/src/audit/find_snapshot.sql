-- The snapshot that this replica's projector keeps for a comparison, if it does, and how far the replica is. $1 the
-- comparison's name. Answer: one row: snapshot, position. Indexes: snapshots_pkey, checkpoint_pkey (one row).
select
    (select snapshot from control.snapshots where audit = $1) as snapshot,
    (select position from checkpoint) as position
