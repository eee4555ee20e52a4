-- The reference's table: answers of a route, ready as text, found by a key.
create table texts (
    id bigint not null,
    text text not null,
    constraint texts_pkey primary key (id)
)
