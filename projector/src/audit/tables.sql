-- The tables of a generation that are compared, with their keys; one without a key is its own. Answer: a row for each: name,
-- the expression of its key's hash, its key's columns, all its columns, both as statements name them. Index: the catalogue's own.
select
    pg_class.relname::text as name,
    case
        when count(key.attname) = 0 then 'hashtextextended(it::text collate "C", 0)'
        when count(key.attname) = 1 and min(key.atttypid::bigint) = 'bigint'::regtype::oid::bigint
            then format('hashint8extended(it.%I, 0)', min(key.attname::text))
        else format(
            'hashtextextended(row(%s)::text collate "C", 0)',
            string_agg(format('it.%I', key.attname), ', ' order by key.attnum)
        )
    end as key_hash,
    coalesce(
        array_agg(quote_ident(key.attname::text) order by key.attnum) filter (where key.attname is not null),
        '{}'
    ) as key,
    array(
        select quote_ident(attname::text)
        from pg_attribute
        where attrelid = pg_class.oid and attnum > 0 and not attisdropped
        order by attnum
    ) as columns
from pg_class
left join pg_constraint on pg_constraint.conrelid = pg_class.oid and pg_constraint.contype = 'p'
left join pg_attribute as key on key.attrelid = pg_class.oid and key.attnum = any(pg_constraint.conkey)
where
    pg_class.relnamespace = current_schema()::regnamespace
    and pg_class.relkind = 'r'
    and pg_class.relname not in ('_sqlx_migrations', 'checkpoint')
group by pg_class.oid, pg_class.relname
order by pg_class.relname
