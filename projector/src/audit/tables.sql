-- The tables of a generation that are compared, with their keys; one without a key is its own. Answer: a row for each: name, the
-- expressions of its key's and its row's hash, its key's columns, all its columns, both as statements name them. Index: the
-- catalogue's own.
--
-- A row's hash is a chain: the hash of each column's value is the seed of the next one's, from a seed that says which values
-- are null. The functions are those by which Postgres places rows in hash partitions, so they stay what they are. The one
-- for whole numbers folds 64 bits into 32, so such a value is in its own seed, too. What has no such function, or one by
-- which 1.0 is 1.00, is hashed as text.
with columns as (
    select
        pg_attribute.attrelid,
        pg_attribute.attnum,
        quote_ident(pg_attribute.attname) as name,
        coalesce(pg_attribute.attnum = any(pg_constraint.conkey), false) as in_key,
        case
            when pg_attribute.attnotnull then format('it.%I', pg_attribute.attname)
            when atttypid in ('bigint'::regtype, 'integer'::regtype, 'smallint'::regtype)
                then format('coalesce(it.%I, 0)', pg_attribute.attname)
            when atttypid = 'boolean'::regtype then format('coalesce(it.%I, false)', pg_attribute.attname)
            when atttypid = 'timestamp'::regtype then format('coalesce(it.%I, ''epoch'')', pg_attribute.attname)
            else format('coalesce(it.%I::text, '''')', pg_attribute.attname)
        end as value,
        case
            when atttypid = 'bigint'::regtype then 'hashint8extended(%1$s, %1$s # '
            when atttypid in ('integer'::regtype, 'smallint'::regtype) then 'hashint4extended(%1$s, '
            when atttypid = 'boolean'::regtype then 'hashint4extended(%1$s::integer, '
            when atttypid = 'timestamp'::regtype then 'timestamp_hash_extended(%1$s, '
            else 'hashtextextended(%1$s::text collate "C", '
        end as link,
        case
            when not pg_attribute.attnotnull
                then format('((it.%I is null)::integer::bigint << %s)', pg_attribute.attname, pg_attribute.attnum)
        end as absent
    from pg_attribute
    left join pg_constraint on pg_constraint.conrelid = attrelid and pg_constraint.contype = 'p'
    where pg_attribute.attnum > 0 and not pg_attribute.attisdropped
),
hashes as (
    select
        attrelid,
        string_agg(format(link, value), '' order by attnum desc)
        || 'hashint8extended(' || coalesce(string_agg(absent, ' | ' order by attnum), '0') || ', 0)'
        || repeat(')', count(*)::integer) as of_row,
        string_agg(format(link, value), '' order by attnum desc) filter (where in_key)
        || '0' || repeat(')', (count(*) filter (where in_key))::integer) as of_key,
        array_agg(name order by attnum) filter (where in_key) as key,
        array_agg(name order by attnum) as columns
    from columns
    group by attrelid
)
select
    pg_class.relname::text as name,
    coalesce(hashes.of_key, hashes.of_row) as key_hash,
    hashes.of_row as row_hash,
    coalesce(hashes.key, '{}') as key,
    hashes.columns
from pg_class
join hashes on hashes.attrelid = pg_class.oid
where
    pg_class.relnamespace = current_schema()::regnamespace
    and pg_class.relkind = 'r'
    and pg_class.relname not in ('_sqlx_migrations', 'checkpoint')
order by pg_class.relname
