-- How long ago this replica was last compared with something said of it; if never, how long ago its generation was made. Answer:
-- one row: seconds. Indexes: none, a thousand rows at most; generations_pkey.
select
    extract(
        epoch from now() - coalesce(
            (select max(ended) from control.audits where result in ('equal', 'different')),
            (select made from control.generations where schema = 'live'),
            now()
        )
    )::double precision as seconds
