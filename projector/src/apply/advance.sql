-- The compare-and-set of the checkpoint: changes one row, or none when another projector was here; and counts the batch's
-- events, which a transaction that changed no row takes back.
-- $1 position, $2 event hash, $3 clock, $4 projection version; $5 position, $6 epoch, $7 fence, $8 step as remembered;
-- $9 event types, $10 how many events of each. Indexes: checkpoint_pkey (one row), event_counts_pkey.
with counted as (
    insert into event_counts (event_type, events, no_ops)
    select event_type, events, 0
    from unnest($9::text[], $10::bigint[]) as batch (event_type, events)
    on conflict (event_type) do update
    set events = event_counts.events + excluded.events
)
update checkpoint
set position = $1, event_hash = $2, clock = $3, projection_version = $4, step = 0
where position = $5 and epoch = $6 and fence = $7 and step = $8
