-- How many events of each type a generation has taken in. Index: none, a row for each type of event.
select event_type, events from event_counts
