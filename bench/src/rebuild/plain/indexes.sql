-- The statements that make the other indexes of the tables, as a replica has them. Answer: one each.
select replace(indexdef, ' ON live.', ' ON reference.')
from pg_indexes
where
    schemaname = 'live'
    and tablename in (select tablename from pg_tables where schemaname = 'reference')
    and indexdef like 'CREATE INDEX %'
order by indexname
