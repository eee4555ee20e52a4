-- Questions about products, from the legacy catalogue (ids below 10^9) and asked here (the id is the event's position).

create table questions (
    id bigint not null,
    product_id bigint not null,
    body text not null,
    -- UTC, milliseconds, as in reviews.
    date timestamp (3) not null,
    asker_name text not null,
    -- Sealed; readers may not select it.
    asker_email text,
    reported boolean not null,
    helpfulness bigint not null,
    constraint questions_pkey primary key (id)
);
