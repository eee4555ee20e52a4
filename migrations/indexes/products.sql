-- Made when the catalogue closes: loading first and indexing after is several times faster than both at once.
create index features_product_id on features (product_id, id);
create index styles_product_id on styles (product_id, id);
create index skus_style_id on skus (style_id, id);
create index style_photos_style_id on style_photos (style_id, id);
create index related_products_product_id on related_products (product_id, id);
