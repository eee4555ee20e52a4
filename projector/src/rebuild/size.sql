-- What a generation takes with its indexes. Answer: one row: bytes. Index: the catalogue's own.
select coalesce(sum(pg_total_relation_size(oid)), 0)::bigint as bytes
from pg_class
where relnamespace = current_schema()::regnamespace and relkind = 'r'
