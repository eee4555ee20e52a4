-- Whether a role is there. $1 its name. Index: the catalogue's own.
select from pg_roles where rolname = $1
