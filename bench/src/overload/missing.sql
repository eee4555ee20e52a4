-- How many of these reviews are not there, after a load.
-- $1: ids
-- Answer: one number
-- Index: reviews_pkey
select count(*) from unnest($1::bigint[]) as acknowledged (id)
where not exists (select from live.reviews as review where review.id = acknowledged.id)
