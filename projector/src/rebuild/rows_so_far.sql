-- Rows that copies into this generation have written so far in tables that are not done. Answer: one row. Index: none.
select coalesce(sum(tuples_processed), 0)::bigint as rows
from pg_stat_progress_copy
where datname = current_database() and command = 'COPY FROM'
