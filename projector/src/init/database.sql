-- The database's schemas: one for each generation, `control` for what is none's; nothing in public. Run by the administrator,
-- safe to repeat. Index: none.
revoke all on database {database} from public;
grant connect on database {database} to atelier_owner, atelier_projector, atelier_reader, atelier_writer;
-- A rebuild makes a schema, and its swap renames schemas.
grant create on database {database} to atelier_owner;
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
-- Which generation lies in which schema, and where it came from.
create table if not exists control.generations (
    schema text not null,
    -- Counts the generations of this database, from 1.
    number bigint not null,
    -- `stream`, `replica NAME` or `snapshot FOLDER`: what it was made from.
    source text not null,
    -- Whether everything is there; one that is not can be no swap's.
    complete boolean not null,
    made timestamptz not null,
    constraint generations_pkey primary key (schema)
);
insert into control.generations (schema, number, source, complete, made)
values ('live', 1, 'stream', true, now())
on conflict (schema) do nothing;
-- Who did what and when, with what result.
create table if not exists control.operations (
    id bigint generated always as identity,
    verb text not null,
    -- The command line, without secrets: passwords lie in files.
    arguments text not null,
    -- The account and machine.
    operator text not null,
    begun timestamptz not null,
    ended timestamptz,
    -- Null while it runs, or when it was killed.
    outcome text,
    constraint operations_pkey primary key (id)
);
-- Snapshots that this replica's projector holds at the marks of comparisons. Removing a row lets go of its snapshot.
create table if not exists control.snapshots (
    audit text not null,
    -- Of the mark: the snapshot shows the replica as it was right after it.
    position bigint not null,
    -- As `pg_export_snapshot` named it.
    snapshot text not null,
    taken timestamptz not null,
    constraint snapshots_pkey primary key (audit)
);
-- Comparisons that this replica took part in.
create table if not exists control.audits (
    audit text not null,
    position bigint not null,
    -- `equal`, `different`, or why it could not be said.
    result text not null,
    ended timestamptz not null,
    constraint audits_pkey primary key (audit)
);
alter table control.heard owner to atelier_owner;
alter table control.generations owner to atelier_owner;
alter table control.operations owner to atelier_owner;
alter table control.snapshots owner to atelier_owner;
alter table control.audits owner to atelier_owner;
grant usage on schema control to atelier_projector;
grant select, insert, update, delete on all tables in schema control to atelier_projector;
