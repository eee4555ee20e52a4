-- The roles of ours. $1 their names. Answer: a row for each. Index: the catalogue's own.
select
    ours.name,
    roles.rolname is not null as there,
    coalesce(roles.rolcanlogin, false) as login,
    coalesce(
        roles.rolsuper or roles.rolcreatedb or roles.rolcreaterole or roles.rolreplication or roles.rolbypassrls,
        false
    ) as powerful
from unnest($1::text[]) as ours (name)
left join pg_roles as roles on roles.rolname = ours.name
order by ours.name
