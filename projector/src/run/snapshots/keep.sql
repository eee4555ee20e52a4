-- A snapshot is kept for a comparison; what a projector that was killed left of others goes. $1 the comparison's name, $2
-- position, $3 the snapshot's name. Index: snapshots_pkey; a row for each comparison that runs.
with left_behind as (
    delete from control.snapshots where taken < now() - interval '1 hour'
)
insert into control.snapshots (audit, position, snapshot, taken)
values ($1, $2, $3, now())
on conflict (audit) do update
set position = excluded.position, snapshot = excluded.snapshot, taken = excluded.taken
