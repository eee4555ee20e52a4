-- One rebuild, rollback or restore of this replica at a time. Answer: locked. Ends with the session. Index: none.
select pg_try_advisory_lock(hashtext('atelier rebuild')) as locked
