-- The tables of a generation that are compared, with their keys; one without a key is its own. Answer: a row for each: name,
-- the expression of its key's hash, its key's columns. Index: the catalogue's own.
select
    pg_class.relname::text as name,
    case
        when count(pg_attribute.attname) = 0 then 'hashtextextended(it::text collate "C", 0)'
        when count(pg_attribute.attname) = 1 and min(pg_attribute.atttypid::bigint) = 'bigint'::regtype::oid::bigint
            then format('hashint8extended(it.%I, 0)', min(pg_attribute.attname::text))
        else format(
            'hashtextextended(row(%s)::text collate "C", 0)',
            string_agg(format('it.%I', pg_attribute.attname), ', ' order by pg_attribute.attnum)
        )
    end as key_hash,
    coalesce(
        array_agg(pg_attribute.attname::text order by pg_attribute.attnum)
            filter (where pg_attribute.attname is not null),
        '{}'
    ) as key
from pg_class
left join pg_constraint on pg_constraint.conrelid = pg_class.oid and pg_constraint.contype = 'p'
left join pg_attribute
    on pg_attribute.attrelid = pg_class.oid and pg_attribute.attnum = any(pg_constraint.conkey)
where
    pg_class.relnamespace = current_schema()::regnamespace
    and pg_class.relkind = 'r'
    and pg_class.relname not in ('_sqlx_migrations', 'checkpoint')
group by pg_class.relname
order by pg_class.relname
