-- All tables of a generation for one statement. $1 schema. Answer: one row. Index: the catalogue's own.
select string_agg(format('%I.%I', nspname, relname), ', ' order by relname) as tables
from pg_class
join pg_namespace on pg_namespace.oid = relnamespace
where nspname = $1 and relkind = 'r'
