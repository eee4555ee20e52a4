-- The sealed address of an imported review. $1 its id. Answer: one row, null when it came without one; or none.
-- Index: reviews_pkey.
select reviewer_email as sealed from reviews where id = $1
