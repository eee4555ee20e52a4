-- Who holds idempotency keys. $1 keys, $2 milliseconds for which a holder counts, by the stream clock. Answer: one row
-- of parallel arrays: keys, their holders' positions, the hashes of their bodies, what became of them.
-- Indexes: idempotency_keys_pkey, checkpoint_pkey.
select
    coalesce(array_agg(held.key), '{}') as keys,
    coalesce(array_agg(held.position), '{}') as positions,
    coalesce(array_agg(held.body), '{}') as bodies,
    coalesce(array_agg(held.outcome), '{}') as outcomes
from checkpoint
inner join idempotency_keys as held on held.clock > checkpoint.clock - $2::bigint
where held.key = any($1::text[])
