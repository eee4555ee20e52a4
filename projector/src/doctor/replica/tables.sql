-- The generation's tables. Answer: a row for each. Index: the catalogue's own.
select relname::text as name
from pg_class
where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p')
order by relname
