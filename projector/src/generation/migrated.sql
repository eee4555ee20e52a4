-- How many migrations the generation has. Index: none, a handful of rows.
select count(*) from _sqlx_migrations
