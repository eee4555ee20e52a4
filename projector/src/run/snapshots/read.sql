-- Whether somebody still reads in a snapshot: it was not let go of, and a session that compares is there. $1 the comparison's
-- name, $2 what such sessions are called. Answer: read. Index: snapshots_pkey; sessions are in memory.
select
    exists (select from control.snapshots where audit = $1)
    and exists (select from pg_stat_activity where application_name = $2) as read
