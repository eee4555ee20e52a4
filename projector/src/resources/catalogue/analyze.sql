-- Statistics for what was derived, before the first read plans with them. Index: none, samples of the tables are read.
analyze product_documents;
analyze review_totals;
analyze characteristic_totals;
analyze cart_lines;
