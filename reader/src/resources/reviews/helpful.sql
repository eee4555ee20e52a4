-- GET /reviews?sort=helpful: one page of a product's reviews, helpfulness descending, ties by id.
-- $1 product id, $2 rows before the page, $3 rows of the page. Answer: one row; no results for an unknown product.
-- Text is put together once: building JSON values in JSON values copies a page of thousands of reviews several times.
-- Photos lie in the row: looking them up for each review takes a third of such a page's time. Asking for the catalogue
-- keeps a replica that is still importing, and so without this index, from reading all reviews.
-- Index: reviews_helpful; checkpoint and catalogue have one row.
select
    checkpoint.epoch,
    checkpoint.position,
    (
        select
            concat(
                '{"product":"', $1::bigint, '","page":', $2::bigint, ',"count":', $3::bigint, ',"results":[',
                string_agg(
                    concat(
                        '{"review_id":', review.id,
                        ',"rating":', review.rating,
                        ',"summary":', to_json(review.summary),
                        ',"recommend":', review.recommend::text,
                        ',"response":', coalesce(to_json(review.response), 'null'),
                        ',"body":', to_json(review.body),
                        ',"date":"', to_char(review.date, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
                        '","reviewer_name":', to_json(review.reviewer_name),
                        ',"helpfulness":', review.helpfulness,
                        ',"photos":[', review.photos,
                        ']}'
                    ),
                    ','
                ),
                ']}'
            )
        from (
            select id, rating, summary, recommend, response, body, date, reviewer_name, helpfulness, photos
            from reviews
            where
                product_id = $1::bigint
                and not reported
                and exists (select from catalogue where closed is not null)
            order by helpfulness desc, id desc
            limit $3::bigint offset $2::bigint
        ) as review
    ) as document
from checkpoint
where checkpoint.only_row
