-- Postgres's version, and its clock in milliseconds since 1970; nothing of it is stored. Answer: one row. Index: none.
select
    current_setting('server_version') as version,
    current_setting('server_version_num')::integer as number,
    (extract(epoch from statement_timestamp()) * 1000)::bigint as clock
