-- answer.helpful: votes, one element each. $1 answer ids. Index: answers_pkey.
update answers
set helpfulness = answers.helpfulness + votes.votes
from (
    select answer_id, count(*) as votes
    from unnest($1::bigint[]) as voted (answer_id)
    group by answer_id
) as votes
where answers.id = votes.answer_id
