-- Counts events whose key was taken. $1 event types, $2 how many of each. Index: event_counts_pkey.
update event_counts
set no_ops = event_counts.no_ops + batch.no_ops
from unnest($1::text[], $2::bigint[]) as batch (event_type, no_ops)
where event_counts.event_type = batch.event_type
