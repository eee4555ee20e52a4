-- Who holds each Idempotency-Key. Index: none, every row is read.
select key, position, body, outcome, clock from idempotency_keys
