-- The tables of this generation that are not vacuumed by themselves. Answer: a row for each: its name. Index: the
-- catalogue's own.
select relname::text
from pg_class
where relnamespace = current_schema()::regnamespace and relkind = 'r' and 'autovacuum_enabled=off' = any(reloptions)
