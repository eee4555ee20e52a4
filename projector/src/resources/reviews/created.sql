-- review.created: the reviews of a batch, and their products' totals.
-- $1 ids, $2 product ids, $3 ratings, $4 times in ms since 1970, $5 summaries, $6 bodies, $7 recommends, $8 names,
-- $9 sealed addresses, $10 photos as JSON objects with commas between, or null. Indexes: reviews_pkey,
-- review_totals_pkey.
with created as (
    select *
    from unnest(
        $1::bigint[], $2::bigint[], $3::smallint[], $4::bigint[], $5::text[], $6::text[], $7::boolean[], $8::text[],
        $9::text[], $10::text[]
    ) as created (id, product_id, rating, time, summary, body, recommend, name, email, photos)
),
inserted as (
    insert into reviews (
        id, product_id, rating, date, summary, body, recommend, reported, reviewer_name, reviewer_email, response,
        helpfulness, photos
    )
    select
        id, product_id, rating, timestamp 'epoch' + time * interval '1 millisecond', summary, body, recommend, false,
        name, email, null, 0, photos
    from created
)
insert into review_totals (
    product_id, rating_1, rating_2, rating_3, rating_4, rating_5, recommended, not_recommended
)
select
    product_id,
    count(*) filter (where rating = 1),
    count(*) filter (where rating = 2),
    count(*) filter (where rating = 3),
    count(*) filter (where rating = 4),
    count(*) filter (where rating = 5),
    count(*) filter (where recommend),
    count(*) filter (where not recommend)
from created
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
