-- What a generation knows of its own place in the stream.
--
-- Migrations run once in each generation's schema (`live`, `building`, …) with `search_path` set to exactly
-- that schema, so no name here carries one. Nothing here thinks: no defaults, sequences, triggers or clocks,
-- because equal events must give equal rows on every replica.

-- One row. It is compared and set by the first statement of every apply transaction, which is what keeps two
-- projectors from ever applying to one generation.
create table checkpoint (
    only_row boolean not null,
    -- The last event applied; first position - 1 before any.
    position bigint not null,
    -- The life of the stream that the position belongs to.
    epoch text not null,
    -- SHA-256 over subject, message id and payload of the event at `position`; empty before any.
    event_hash bytea not null,
    -- Raised by whoever takes the generation over; a paused predecessor then loses the compare-and-set.
    fence bigint not null,
    -- Steps done of the event after `position` when that one is applied in steps; else 0.
    step integer not null,
    -- The stream clock in milliseconds since 1970: never goes back, never runs ahead of the broker by design.
    clock bigint not null,
    -- Version of the projection's logic that wrote these rows.
    projection_version integer not null,
    constraint checkpoint_pkey primary key (only_row),
    constraint checkpoint_one_row check (only_row)
);

-- Events that broke a rule of the domain; the same rows on every replica.
create table rejections (
    position bigint not null,
    event_type text not null,
    reason text not null,
    constraint rejections_pkey primary key (position)
);

-- Who holds an Idempotency-Key. A later event with the same key is a no-op while the holder is younger than
-- 24 hours by the stream clock.
create table idempotency_keys (
    key text not null,
    -- Position of the event that took the key, applied or rejected.
    position bigint not null,
    -- Keyed hash of the request's path and body: another body under the same key is a client's mistake.
    body text not null,
    outcome text not null,
    -- The stream clock when the key was taken.
    clock bigint not null,
    constraint idempotency_keys_pkey primary key (key)
);

-- Expiry deletes by age.
create index idempotency_keys_clock on idempotency_keys (clock);

-- The one legacy catalogue that a stream takes. No row: none was opened. `closed` null: still importing.
create table catalogue (
    only_row boolean not null,
    opened bigint not null,
    closed bigint,
    constraint catalogue_pkey primary key (only_row),
    constraint catalogue_one_row check (only_row)
);
