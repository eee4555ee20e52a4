-- One proof of a snapshot at a time on this server. Answer: locked. Ends with the session. Index: none.
select pg_try_advisory_lock(hashtext('atelier snapshot verify')) as locked
