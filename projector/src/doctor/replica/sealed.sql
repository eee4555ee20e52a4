-- Sealed columns that roles may select who must not. $1 the roles. Answer: a row for each. Index: the catalogue's own.
select roles.name as role, classes.relname::text as relation, fields.attname::text as field
from pg_class as classes
join pg_attribute as fields on fields.attrelid = classes.oid
cross join unnest($1::text[]) as roles (name)
where
    classes.relnamespace = current_schema()::regnamespace
    and classes.relkind in ('r', 'p')
    and fields.attname like '%\_email'
    and not fields.attisdropped
    and has_column_privilege(roles.name, classes.oid, fields.attnum, 'select')
order by roles.name, classes.relname, fields.attname
