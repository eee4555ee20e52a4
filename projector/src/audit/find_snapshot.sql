-- The snapshot that this replica's projector keeps for a comparison. $1 its name. Answer: no row or one: snapshot.
-- Index: snapshots_pkey.
select snapshot from control.snapshots where audit = $1
