-- Empty tables of the same columns and primary keys.
drop schema if exists reference cascade;
create schema reference;
create table reference.reviews (like live.reviews, primary key (id));
create table reference.review_totals (like live.review_totals, primary key (product_id));
create table reference.review_photos (like live.review_photos, primary key (id));
create table reference.characteristic_ratings (like live.characteristic_ratings, primary key (id));
create table reference.characteristic_totals (like live.characteristic_totals, primary key (product_id, characteristic_id));
create table reference.questions (like live.questions, primary key (id));
create table reference.answers (like live.answers, primary key (id));
create table reference.answer_photos (like live.answer_photos, primary key (id));
create table reference.cart_lines (like live.cart_lines, primary key (session, sku_id));
create table reference.interactions (like live.interactions, primary key (id));
create table reference.idempotency_keys (like live.idempotency_keys, primary key (key));
