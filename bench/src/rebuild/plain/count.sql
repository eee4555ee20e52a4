-- Rows of the tables in a schema that hold one for each of something written.
select
    (
        (select count(*) from :schema.reviews)
        + (select count(*) from :schema.review_photos)
        + (select count(*) from :schema.characteristic_ratings)
        + (select count(*) from :schema.questions)
        + (select count(*) from :schema.answers)
        + (select count(*) from :schema.answer_photos)
        + (select count(*) from :schema.cart_lines)
        + (select count(*) from :schema.interactions)
        + (select count(*) from :schema.idempotency_keys)
    )::bigint as rows
