-- Puts the result of a comparison on record; the last thousand are kept. $1 its name, $2 position, $3 result. Index:
-- audits_pkey; a thousand rows at most.
with old as (
    delete from control.audits
    where audit in (select audit from control.audits order by ended desc offset 1000)
)
insert into control.audits (audit, position, result, ended)
values ($1, $2, $3, now())
on conflict (audit) do update
set position = excluded.position, result = excluded.result, ended = excluded.ended
