-- The database's schemas: one for each generation; nothing in public. Run by the administrator, safe to repeat.
revoke all on database {database} from public;
grant connect on database {database} to atelier_owner, atelier_projector, atelier_reader, atelier_writer;
revoke all on schema public from public;
create schema if not exists live authorization atelier_owner;
