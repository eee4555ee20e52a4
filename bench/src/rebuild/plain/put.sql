-- Puts in what lies between two positions, in one statement. $1 the first, $2 the last.
with
new_reviews as (
    insert into reference.reviews select * from staged.reviews where id between $1 and $2
),
new_totals as (
    insert into reference.review_totals
    select
        product_id,
        count(*) filter (where rating = 1),
        count(*) filter (where rating = 2),
        count(*) filter (where rating = 3),
        count(*) filter (where rating = 4),
        count(*) filter (where rating = 5),
        count(*) filter (where recommend),
        count(*) filter (where not recommend)
    from staged.reviews
    where id between $1 and $2 and not reported
    group by product_id
    on conflict (product_id) do update
    set
        rating_1 = review_totals.rating_1 + excluded.rating_1,
        rating_2 = review_totals.rating_2 + excluded.rating_2,
        rating_3 = review_totals.rating_3 + excluded.rating_3,
        rating_4 = review_totals.rating_4 + excluded.rating_4,
        rating_5 = review_totals.rating_5 + excluded.rating_5,
        recommended = review_totals.recommended + excluded.recommended,
        not_recommended = review_totals.not_recommended + excluded.not_recommended
),
new_review_photos as (
    insert into reference.review_photos
    select * from staged.review_photos where id between $1 * 16 and $2 * 16 + 15
),
new_ratings as (
    insert into reference.characteristic_ratings
    select id, characteristic_id, review_id, value
    from staged.characteristic_ratings
    where id between $1 * 16 and $2 * 16 + 15
),
new_characteristic_totals as (
    insert into reference.characteristic_totals
    select product_id, characteristic_id, min(name), count(*), sum(value)
    from staged.characteristic_ratings
    where id between $1 * 16 and $2 * 16 + 15
    group by product_id, characteristic_id
    on conflict (product_id, characteristic_id) do update
    set
        ratings = characteristic_totals.ratings + excluded.ratings,
        total = characteristic_totals.total + excluded.total
),
new_questions as (
    insert into reference.questions select * from staged.questions where id between $1 and $2
),
new_answers as (
    insert into reference.answers select * from staged.answers where id between $1 and $2
),
new_answer_photos as (
    insert into reference.answer_photos
    select * from staged.answer_photos where id between $1 * 16 and $2 * 16 + 15
),
new_cart_lines as (
    insert into reference.cart_lines
    select * from staged.cart_lines where added between $1 and $2
    on conflict (session, sku_id) do update
    set count = cart_lines.count + excluded.count
),
new_keys as (
    insert into reference.idempotency_keys
    select * from staged.idempotency_keys where position between $1 and $2
)
insert into reference.interactions select * from staged.interactions where id between $1 and $2
