-- Whether a database is there. $1 its name. Index: the catalogue's own.
select from pg_database where datname = $1
