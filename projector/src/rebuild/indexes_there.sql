-- The indexes of this generation. Answer: a row for each: its name. Index: the catalogue's own.
select relname::text from pg_class where relnamespace = current_schema()::regnamespace and relkind = 'i'
