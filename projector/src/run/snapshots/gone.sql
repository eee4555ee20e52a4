-- A snapshot is not kept any more. $1 the comparison's name. Index: snapshots_pkey.
delete from control.snapshots where audit = $1
