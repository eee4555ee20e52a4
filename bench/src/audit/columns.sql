select
    pg_class.relname::text as name,
    quote_ident(pg_attribute.attname) as changed,
    format_type(pg_attribute.atttypid, null) as type,
    (
        select string_agg(format('%I', key.attname), ', ' order by key.attnum)
        from pg_constraint
        join pg_attribute as key on key.attrelid = pg_class.oid and key.attnum = any(pg_constraint.conkey)
        where pg_constraint.conrelid = pg_class.oid and pg_constraint.contype = 'p'
    ) as key
from pg_class
join pg_attribute on pg_attribute.attrelid = pg_class.oid and pg_attribute.attnum > 0 and not pg_attribute.attisdropped
where
    pg_class.relnamespace = 'live'::regnamespace
    and pg_class.relkind = 'r'
    and pg_class.relname not in ('_sqlx_migrations', 'checkpoint')
    and pg_attribute.attname <> 'only_row'
order by pg_class.relname, pg_attribute.attnum
