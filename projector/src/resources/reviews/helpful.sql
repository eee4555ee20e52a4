-- review.helpful: votes, one element each. $1 review ids. Index: reviews_pkey.
update reviews
set helpfulness = reviews.helpfulness + votes.votes
from (
    select review_id, count(*) as votes
    from unnest($1::bigint[]) as voted (review_id)
    group by review_id
) as votes
where reviews.id = votes.review_id
