-- How many events of each type a generation has taken in, and how many of them were no-ops because their key was taken:
-- with the rejections on record they are compared with the stream's own counts. Counted in the transaction that moves the
-- checkpoint, so they are a function of the position.

create table event_counts (
    -- As in `review.created`.
    event_type text not null,
    -- All, whatever became of them.
    events bigint not null,
    -- Those of them that were no-ops.
    no_ops bigint not null,
    constraint event_counts_pkey primary key (event_type)
);
