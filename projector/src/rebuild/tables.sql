-- The tables of a generation with what they take. Answer: a row for each, the heaviest first: name, rows as last counted, bytes
-- of rows and of indexes. Index: the catalogue's own.
select
    relname::text as name,
    greatest(reltuples, 0)::bigint as rows,
    pg_table_size(oid) as bytes,
    pg_indexes_size(oid) as index_bytes
from pg_class
where
    relnamespace = current_schema()::regnamespace
    and relkind = 'r'
    and relname not in ('_sqlx_migrations', 'checkpoint')
order by pg_total_relation_size(oid) desc, relname
