-- GET /reviews?sort=newest: one page of a product's reviews, date descending, ties by id.
-- $1 product id, $2 rows before the page, $3 rows of the page. Answer: one row; no results for an unknown product.
-- The page is cut first, then photos are fetched for its rows alone. Asking for the product first keeps a replica
-- without its catalogue, and so without these indexes, from reading all reviews.
-- Indexes: product_documents_product_id_key, reviews_newest, review_photos_review_id; checkpoint has one row.
select
    checkpoint.epoch,
    checkpoint.position,
    (
        select row_to_json(answer)
        from (
            select
                $1::bigint::text as product,
                $2::bigint as page,
                $3::bigint as count,
                (
                    select coalesce(json_agg(review), '[]')
                    from (
                        select id, rating, summary, recommend, response, body, date, reviewer_name, helpfulness
                        from reviews
                        where
                            product_id = $1::bigint
                            and not reported
                            and exists (select from product_documents where product_id = $1::bigint)
                        order by date desc, id desc
                        limit $3::bigint offset $2::bigint
                    ) as page
                    cross join lateral (
                        select
                            page.id as review_id,
                            page.rating,
                            page.summary,
                            page.recommend,
                            page.response,
                            page.body,
                            to_char(page.date, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as date,
                            page.reviewer_name,
                            page.helpfulness,
                            (
                                select coalesce(json_agg(photo), '[]')
                                from (
                                    select id, url
                                    from review_photos
                                    where review_id = page.id
                                    order by id
                                ) as photo
                            ) as photos
                    ) as review
                ) as results
        ) as answer
    )::text as document
from checkpoint
where checkpoint.only_row
