-- Reviews, from the legacy catalogue (ids below 10^9) and written here (the id is the event's position).

create table reviews (
    id bigint not null,
    product_id bigint not null,
    rating smallint not null,
    -- UTC, milliseconds. Without time zone, so that no session setting can change what is stored or shown.
    date timestamp (3) not null,
    summary text not null,
    body text not null,
    recommend boolean not null,
    reported boolean not null,
    reviewer_name text not null,
    -- Sealed; readers may not select it.
    reviewer_email text,
    response text,
    helpfulness bigint not null,
    -- Derived: its photos as GET /reviews lists them, JSON objects with commas between; null when it has none. Looking
    -- them up for each review of a page of thousands takes longer than everything else about it.
    photos text,
    constraint reviews_pkey primary key (id)
);

-- Photos of a review written here are numbered position * 16 + index.
create table review_photos (
    id bigint not null,
    review_id bigint not null,
    url text not null,
    constraint review_photos_pkey primary key (id)
);

create table characteristics (
    id bigint not null,
    product_id bigint not null,
    name text not null,
    constraint characteristics_pkey primary key (id)
);

-- Ratings of a review written here are numbered position * 16 + index.
create table characteristic_ratings (
    id bigint not null,
    characteristic_id bigint not null,
    review_id bigint not null,
    value smallint not null,
    constraint characteristic_ratings_pkey primary key (id)
);

-- Derived: what /reviews/meta counts, over reviews that are not reported. No row means all zero.
create table review_totals (
    product_id bigint not null,
    rating_1 bigint not null,
    rating_2 bigint not null,
    rating_3 bigint not null,
    rating_4 bigint not null,
    rating_5 bigint not null,
    recommended bigint not null,
    not_recommended bigint not null,
    constraint review_totals_pkey primary key (product_id)
);

-- Derived: one row for each characteristic, also before anybody rated it; the product first in the key because
-- /reviews/meta asks for all of a product's.
create table characteristic_totals (
    product_id bigint not null,
    characteristic_id bigint not null,
    name text not null,
    ratings bigint not null,
    total bigint not null,
    constraint characteristic_totals_pkey primary key (product_id, characteristic_id)
);
