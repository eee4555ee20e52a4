-- What is in a database that should be empty: schemas, and in public whatever does not belong to an extension. Answer: found,
-- null when there is nothing. Index: none, a handful of rows of the server's own catalogue.
select string_agg(name, ', ' order by name) as found
from (
    select 'schema ' || nspname as name
    from pg_namespace
    where nspname not in ('public', 'information_schema') and nspname not like 'pg\_%'
    union all
    select nspname || '.' || relname
    from pg_class
    join pg_namespace on pg_namespace.oid = relnamespace
    where nspname = 'public'
        and not exists (
            select from pg_depend
            where classid = 'pg_class'::regclass and objid = pg_class.oid and deptype = 'e'
        )
) as things
