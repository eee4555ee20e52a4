-- What became of events. $1 their positions, $2 the idempotency keys that they carry. Answer: one row: the snapshot's
-- position; positions and reasons of those rejected; keys and positions of the keys' holders.
-- Indexes: checkpoint_pkey, rejections_pkey, idempotency_keys_pkey.
select
    checkpoint.position as checkpoint,
    rejected.positions as rejected,
    rejected.reasons,
    held.keys as held,
    held.positions as holders
from checkpoint
cross join (
    select
        coalesce(array_agg(position), '{}') as positions,
        coalesce(array_agg(reason), '{}') as reasons
    from rejections
    where position = any($1::bigint[])
) as rejected
cross join (
    select
        coalesce(array_agg(key), '{}') as keys,
        coalesce(array_agg(position), '{}') as positions
    from idempotency_keys
    where key = any($2::text[])
) as held
