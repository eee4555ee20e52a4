-- Remembers who holds each idempotency key; an expired holder gives way. $1 keys, $2 positions, $3 body hashes,
-- $4 outcomes, $5 clocks. Index: idempotency_keys_pkey.
insert into idempotency_keys (key, position, body, outcome, clock)
select key, position, body, outcome, clock
from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::bigint[]) as taken (key, position, body, outcome, clock)
on conflict (key) do update
set position = excluded.position, body = excluded.body, outcome = excluded.outcome, clock = excluded.clock
