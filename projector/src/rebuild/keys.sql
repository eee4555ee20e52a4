-- Keys and indexes of an empty generation's table, with what takes them away and makes them again. $1 the table's name.
-- Answer: a row for each: gone, made. Index: the catalogue's own.
select
    format('alter table %s drop constraint %I', conrelid::regclass, conname) as gone,
    format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) as made
from pg_constraint
where connamespace = current_schema()::regnamespace and conrelid = $1::regclass and contype in ('p', 'u')
union all
select format('drop index %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
from pg_index
where
    indrelid = $1::regclass
    and not exists (select from pg_constraint where conindid = indexrelid and contype in ('p', 'u'))
order by made
