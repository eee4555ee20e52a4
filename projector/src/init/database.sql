-- The database's schemas: one for each generation, `control` for what is none's; nothing in public. Run by the administrator, safe to repeat.
revoke all on database {database} from public;
grant connect on database {database} to atelier_owner, atelier_projector, atelier_reader, atelier_writer;
revoke all on schema public from public;
create schema if not exists live authorization atelier_owner;
create schema if not exists control authorization atelier_owner;
-- What a replica knows of the stream beside its checkpoint: the last event that it saw without having applied it. No
-- generation's, because it is no function of the stream.
create table if not exists control.heard (
    only_row boolean not null,
    epoch text not null,
    position bigint not null,
    event_hash bytea not null,
    constraint heard_pkey primary key (only_row),
    constraint heard_one_row check (only_row)
);
alter table control.heard owner to atelier_owner;
grant usage on schema control to atelier_projector;
grant select, insert, update on control.heard to atelier_projector;
