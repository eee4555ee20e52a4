-- Holders of idempotency keys. $1 keys. Index: idempotency_keys_pkey.
select key, position, body, outcome, clock
from idempotency_keys
where key = any($1::text[])
