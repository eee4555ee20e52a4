-- Statistics for what was loaded, before the first read plans with them. Then the projector's own role again.
-- Index: none, samples of the tables are read.
analyze products;
analyze features;
analyze styles;
analyze skus;
analyze style_photos;
analyze related_products;
analyze product_documents;
analyze reviews;
analyze review_photos;
analyze characteristics;
analyze characteristic_ratings;
analyze review_totals;
analyze characteristic_totals;
reset role;
