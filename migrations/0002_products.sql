-- Products come with the legacy catalogue and do not change afterwards, so whatever a route answers about one
-- is built once, when the catalogue closes, and stored as text.

create table products (
    id bigint not null,
    name text not null,
    slogan text,
    description text,
    category text,
    default_price numeric(12, 2) not null,
    constraint products_pkey primary key (id)
);

create table features (
    id bigint not null,
    product_id bigint not null,
    feature text not null,
    value text,
    constraint features_pkey primary key (id)
);

create table styles (
    id bigint not null,
    product_id bigint not null,
    name text not null,
    sale_price numeric(12, 2),
    original_price numeric(12, 2) not null,
    is_default boolean not null,
    constraint styles_pkey primary key (id)
);

create table skus (
    id bigint not null,
    style_id bigint not null,
    size text,
    quantity integer not null,
    constraint skus_pkey primary key (id)
);

create table style_photos (
    id bigint not null,
    style_id bigint not null,
    url text,
    thumbnail_url text,
    constraint style_photos_pkey primary key (id)
);

create table related_products (
    id bigint not null,
    product_id bigint not null,
    related_product_id bigint not null,
    constraint related_products_pkey primary key (id)
);

-- Derived. `ordinal` numbers the products 1, 2, 3 … in id order, so that a page of the list, however deep, is a
-- range of the primary key instead of an offset that has to be counted through.
create table product_documents (
    ordinal bigint not null,
    product_id bigint not null,
    -- The object of the list; the answers of /products/:id, /styles and /related. json keeps the bytes as built.
    listing json not null,
    product json not null,
    styles json not null,
    related json not null,
    constraint product_documents_pkey primary key (ordinal),
    constraint product_documents_product_id_key unique (product_id)
);
