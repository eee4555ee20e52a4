-- question.helpful: votes, one element each. $1 question ids. Index: questions_pkey.
update questions
set helpfulness = questions.helpfulness + votes.votes
from (
    select question_id, count(*) as votes
    from unnest($1::bigint[]) as voted (question_id)
    group by question_id
) as votes
where questions.id = votes.question_id
