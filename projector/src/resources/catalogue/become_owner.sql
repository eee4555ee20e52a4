-- For the rest of a step, until its end: the tables' owner, who alone may make indexes, with memory to sort one in a few
-- passes. Pages of a new index are logged whole; compressing them would take longer than making the index, so that is
-- left out where the owner may say so (`projector init` lets it). A lock is waited for longer than elsewhere: what was made
-- in minutes is not thrown away for a reader of some seconds. Index: none.
set local role atelier_owner;
set local lock_timeout = '5min';
set local maintenance_work_mem = '256MB';
set local work_mem = '128MB';
select set_config('wal_compression', 'off', true)
where has_parameter_privilege('wal_compression', 'set');
