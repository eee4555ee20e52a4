-- All interactions, dates in milliseconds since 1970. Index: none, every row is read.
select id, element, widget, time, (extract(epoch from date) * 1000)::bigint from interactions
