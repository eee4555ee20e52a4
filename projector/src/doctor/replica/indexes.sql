-- The generation's indexes, those of keys among them. Answer: a row for each. Index: the catalogue's own.
select classes.relname::text as name, indexes.indisvalid and indexes.indisready as valid
from pg_index as indexes
join pg_class as classes on classes.oid = indexes.indexrelid
where classes.relnamespace = current_schema()::regnamespace
order by classes.relname
