-- Lets go of the snapshot of a comparison. $1 its name. Index: snapshots_pkey.
delete from control.snapshots where audit = $1
