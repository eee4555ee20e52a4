-- Forgets holders that are too old to count. $1 the oldest clock that is kept. Index: idempotency_keys_clock.
delete from idempotency_keys where clock < $1
