-- A snapshot is kept for a comparison. $1 the comparison's name, $2 position, $3 the snapshot's name. Index: snapshots_pkey.
insert into control.snapshots (audit, position, snapshot, taken)
values ($1, $2, $3, now())
on conflict (audit) do update
set position = excluded.position, snapshot = excluded.snapshot, taken = excluded.taken
