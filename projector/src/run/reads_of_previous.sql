-- Whether a statement of a reader or a writer still reads the generation that served before. Answer: one row: reads.
-- Index: none, locks and sessions are views of the server's memory.
select exists (
    select
    from pg_locks
    join pg_class on pg_class.oid = pg_locks.relation
    join pg_stat_activity on pg_stat_activity.pid = pg_locks.pid
    where
        pg_locks.locktype = 'relation'
        and pg_class.relnamespace = to_regnamespace('previous')
        and pg_stat_activity.usename in ('atelier_reader', 'atelier_writer')
) as reads
