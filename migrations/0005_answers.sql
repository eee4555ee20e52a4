-- Answers to questions, from the legacy catalogue (ids below 10^9) and written here (the id is the event's position).

create table answers (
    id bigint not null,
    question_id bigint not null,
    body text not null,
    -- UTC, milliseconds, as in reviews.
    date timestamp (3) not null,
    answerer_name text not null,
    -- Sealed; readers may not select it.
    answerer_email text,
    reported boolean not null,
    helpfulness bigint not null,
    constraint answers_pkey primary key (id)
);

-- Photos of an answer written here are numbered position * 16 + index.
create table answer_photos (
    id bigint not null,
    answer_id bigint not null,
    url text not null,
    constraint answer_photos_pkey primary key (id)
);
