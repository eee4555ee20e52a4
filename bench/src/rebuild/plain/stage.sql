-- The rows that ordinary events came to, beside, in the order of the events, to be found by position.
drop schema if exists staged cascade;
create schema staged;
create unlogged table staged.reviews as select * from live.reviews where id >= :first order by id;
create unlogged table staged.review_photos as select * from live.review_photos where id >= :first * 16::bigint order by id;
create unlogged table staged.characteristic_ratings as
select characteristic_ratings.*, characteristics.product_id, characteristics.name
from live.characteristic_ratings
join live.characteristics on characteristics.id = characteristic_ratings.characteristic_id
where characteristic_ratings.id >= :first * 16::bigint
order by characteristic_ratings.id;
create unlogged table staged.questions as select * from live.questions where id >= :first order by id;
create unlogged table staged.answers as select * from live.answers where id >= :first order by id;
create unlogged table staged.answer_photos as select * from live.answer_photos where id >= :first * 16::bigint order by id;
create unlogged table staged.cart_lines as select * from live.cart_lines where added >= :first order by added;
create unlogged table staged.interactions as select * from live.interactions where id >= :first order by id;
create unlogged table staged.idempotency_keys as
select * from live.idempotency_keys where position >= :first order by position;
create index on staged.reviews (id);
create index on staged.review_photos (id);
create index on staged.characteristic_ratings (id);
create index on staged.questions (id);
create index on staged.answers (id);
create index on staged.answer_photos (id);
create index on staged.cart_lines (added);
create index on staged.interactions (id);
create index on staged.idempotency_keys (position);
analyze staged.reviews, staged.review_photos, staged.characteristic_ratings, staged.questions, staged.answers,
staged.answer_photos, staged.cart_lines, staged.interactions, staged.idempotency_keys
