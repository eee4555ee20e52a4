-- A replica's counters by type. Answer: event_type, events, no_ops. Index: none, a row for each type of event.
select event_type, events, no_ops
from event_counts
