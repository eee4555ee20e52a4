-- What shoppers did on pages. Written here and read by nobody but those who look into a replica.

create table interactions (
    id bigint not null,
    element text not null,
    widget text not null,
    -- In the front end's own words, so it is text; `date` is ours.
    time text not null,
    -- UTC, milliseconds.
    date timestamp (3) not null,
    constraint interactions_pkey primary key (id)
);
