-- Carts. A session is known by a keyed hash of its name alone.

-- Active lines of the legacy catalogue: one piece each of their product's first sku.
create table legacy_cart_lines (
    id bigint not null,
    session text not null,
    sku_id bigint not null,
    constraint legacy_cart_lines_pkey primary key (id)
);

-- One line for each sku in a cart, made from the legacy lines when the catalogue closes and added to from then on. The
-- session first in the key because GET /cart asks for all of a session's lines.
create table cart_lines (
    session text not null,
    sku_id bigint not null,
    count bigint not null,
    -- Where the line came from first: a legacy line's id or an event's position. Carts are shown in this order.
    added bigint not null,
    constraint cart_lines_pkey primary key (session, sku_id)
);
