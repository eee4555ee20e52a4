-- The last event of the stream that this replica saw without having applied it.
-- No parameters. Answers no row or one: epoch, position, event_hash.
-- Index: heard_pkey (one row).
select epoch, position, event_hash
from control.heard
where only_row
