-- Which schema served at a snapshot, whatever it is called now. $1 its name then. Answer: one row: schema. Index: the
-- catalogue's own.
select oid::bigint as schema from pg_namespace where nspname = $1
