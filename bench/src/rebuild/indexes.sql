-- What is indexed in the generation that serves, and which tables are treated otherwise than usual. Answer: one row.
select
    (select string_agg(indexdef, '; ' order by indexname) from pg_indexes where schemaname = 'live')
    || coalesce(
        (
            select string_agg(relname || array_to_string(reloptions, ' '), '; ' order by relname)
            from pg_class
            where relnamespace = 'live'::regnamespace and reloptions is not null
        ),
        ''
    )
