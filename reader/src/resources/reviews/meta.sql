-- GET /reviews/meta: what the reviews of a product add up to.
-- $1 product id. Answer: one row; zeros and no characteristics for an unknown product, and while the catalogue is being
-- imported. A mean has the decimals that Postgres's own avg() gives it, as in the legacy service.
-- Indexes: review_totals_pkey, characteristic_totals_pkey; checkpoint and catalogue have one row.
select
    checkpoint.epoch,
    checkpoint.position,
    (
        select row_to_json(answer)
        from (
            select
                $1::bigint::text as product_id,
                (
                    select coalesce(json_object_agg(stars.rating, stars.reviews::text order by stars.rating), '{}')
                    from (
                        values
                        (1, totals.rating_1),
                        (2, totals.rating_2),
                        (3, totals.rating_3),
                        (4, totals.rating_4),
                        (5, totals.rating_5)
                    ) as stars (rating, reviews)
                    where stars.reviews > 0
                ) as ratings,
                json_build_object(
                    'false', coalesce(totals.not_recommended, 0)::text,
                    'true', coalesce(totals.recommended, 0)::text
                ) as recommended,
                (
                    select coalesce(json_object_agg(characteristic.name, characteristic.shown), '{}')
                    from (
                        select
                            name,
                            json_build_object(
                                'id', characteristic_id,
                                'value', (total::numeric / nullif(ratings, 0))::text
                            ) as shown
                        from characteristic_totals
                        where product_id = $1::bigint and exists (select from catalogue where closed is not null)
                        order by characteristic_id
                    ) as characteristic
                ) as characteristics
        ) as answer
    )::text as document
from checkpoint
left join review_totals as totals
    on totals.product_id = $1::bigint and exists (select from catalogue where closed is not null)
where checkpoint.only_row
