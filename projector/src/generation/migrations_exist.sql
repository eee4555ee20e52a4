-- Whether any migration was ever run in this generation. Index: none.
select to_regclass('_sqlx_migrations') is not null
