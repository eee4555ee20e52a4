-- What an operator wants to know of a replica beside its checkpoint. Answer: one row; times in milliseconds since 1970, null
-- where there is nothing. `rebuilt`: a rebuild, rollback or restore is under way; `owned`: since when a projector is
-- connected as the owner. Index: generations_pkey; an operator asks, and comparisons are few.
select
    serving.number,
    serving.source,
    (
        select coalesce(sum(pg_total_relation_size(oid)), 0)::bigint
        from pg_class
        where relnamespace = 'live'::regnamespace and relkind = 'r'
    ) as bytes,
    exists (
        select from pg_locks
        where locktype = 'advisory' and granted and objsubid = 1
            and database = (select oid from pg_database where datname = current_database())
            and (classid::bigint << 32) | objid::bigint = hashtext('atelier rebuild')
    ) as rebuilt,
    (
        select (extract(epoch from min(backend_start)) * 1000)::bigint
        from pg_locks join pg_stat_activity using (pid)
        where locktype = 'advisory' and granted and objsubid = 1
            and database = (select oid from pg_database where datname = current_database())
            and (classid::bigint << 32) | objid::bigint = hashtext('atelier projector live')
    ) as owned,
    building.number as building,
    building.source as building_source,
    to_regclass('building.checkpoint') is not null as building_stands,
    last_audit.result as audit_result,
    last_audit.position as audit_position,
    (extract(epoch from last_audit.ended) * 1000)::bigint as audit_ended
from (values (true)) as one (there)
left join control.generations as serving on serving.schema = 'live'
left join control.generations as building on building.schema = 'building'
left join lateral (
    select result, position, ended
    from control.audits
    order by ended desc
    limit 1
) as last_audit on true
