-- How many sessions readers have in this database. Answer: sessions. Index: none, a handful of sessions.
select count(*) as sessions
from pg_stat_activity
where usename = 'atelier_reader' and datname = current_database()
