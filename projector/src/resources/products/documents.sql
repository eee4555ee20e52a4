-- Builds the ready answers of /products once, when the catalogue closes; run before anything reads them.
-- $1 which part of the products, from 0; $2 how many parts: of equal ranges of ids.
-- Answer: nothing; one row of product_documents for each product of the part.
--
-- One pass over the products in id order, each one's parts fetched by index. The legacy catalogue numbers parts much
-- as it numbers products, so neighbours share pages; nothing is sorted or kept, so memory and spilled bytes do not
-- grow with the catalogue.
-- row_to_json writes no blanks, which json_build_object does: these texts are kept.
-- Indexes: products_pkey, features_product_id, styles_product_id, style_photos_style_id, skus_style_id,
-- related_products_product_id.
insert into product_documents (ordinal, product_id, listing, product, styles, related)
with part as materialized (
    select max(id) * $1::bigint / $2::bigint as above, max(id) * ($1::bigint + 1) / $2::bigint as up_to
    from products
)
select
    (select count(*) from products where id <= (select above from part)) + row_number() over (order by products.id),
    products.id,
    (
        select row_to_json(listing)
        from (
            select
                products.id,
                products.name,
                products.slogan,
                products.description,
                products.category,
                products.default_price::text as default_price
        ) as listing
    ),
    (
        select row_to_json(product)
        from (
            select
                products.id,
                products.name,
                products.slogan,
                products.description,
                products.category,
                products.default_price::text as default_price,
                features.features
        ) as product
    ),
    (
        select row_to_json(answer)
        from (select products.id::text as product_id, styles.results) as answer
    ),
    related.ids
from products
cross join lateral (
    select coalesce(array_to_json(array_agg(row order by features.id)), '[]') as features
    from features
    cross join lateral (select features.feature, features.value) as row
    where features.product_id = products.id
) as features
cross join lateral (
    select coalesce(array_to_json(array_agg(style order by styles.id)), '[]') as results
    from styles
    cross join lateral (
        select
            -- Front ends read photos[0].url unguarded.
            coalesce(
                array_to_json(array_agg(photo order by style_photos.id)),
                '[{"thumbnail_url":null,"url":null}]'
            ) as photos
        from style_photos
        cross join lateral (select style_photos.thumbnail_url, style_photos.url) as photo
        where style_photos.style_id = styles.id
    ) as photos
    cross join lateral (
        select
            coalesce(
                '{' || string_agg(
                    '"' || skus.id || '":' || row_to_json(sku), ',' order by skus.id
                ) || '}',
                -- Front ends were written against this.
                '{"null":{"quantity":null,"size":null}}'
            )::json as skus
        from skus
        cross join lateral (select skus.quantity, skus.size) as sku
        where skus.style_id = styles.id
    ) as skus
    cross join lateral (
        select
            styles.id as style_id,
            styles.name,
            styles.original_price::text as original_price,
            styles.sale_price::text as sale_price,
            styles.is_default as "default?",
            photos.photos,
            skus.skus
    ) as style
    where styles.product_id = products.id
) as styles
cross join lateral (
    select coalesce(array_to_json(array_agg(first.related_product_id order by first.id)), '[]') as ids
    from (
        select min(related_products.id) as id, related_products.related_product_id
        from related_products
        where
            related_products.product_id = products.id
            and related_products.related_product_id not in (0, products.id)
        group by related_products.related_product_id
    ) as first
) as related
where products.id > (select above from part) and products.id <= (select up_to from part)
