-- The newest migration of the generation. Answer: version; 0 when there is none. Index: _sqlx_migrations_pkey.
select coalesce(max(version), 0) as version from _sqlx_migrations
