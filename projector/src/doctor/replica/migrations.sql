-- The migrations that made the generation. Answer: a row for each. Index: none, a handful of rows.
select version, checksum, success from _sqlx_migrations order by version
