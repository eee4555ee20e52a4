-- What roles need and may not. $1 roles, $2 privileges, $3 tables (null: the schema), $4 columns (null: the table), side by
-- side. Answer: a row for each that is missing. Index: the catalogue's own.
select needed.role, needed.privilege, needed.relation, needed.field
from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as needed (role, privilege, relation, field)
where
    not case
        when needed.relation is null
            then has_schema_privilege(needed.role, current_schema(), needed.privilege)
        when needed.field is null
            then has_table_privilege(needed.role, needed.relation, needed.privilege)
        else has_column_privilege(needed.role, needed.relation, needed.field, needed.privilege)
    end
order by needed.role, needed.relation, needed.field
