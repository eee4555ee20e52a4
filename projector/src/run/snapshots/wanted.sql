-- Whether somebody compares. $1 what such sessions are called. Answer: wanted. Index: none, sessions are in memory.
select exists (select from pg_stat_activity where application_name = $1) as wanted
