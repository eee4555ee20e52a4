-- $1 questions at random, of the last tenth of those that were imported. Answer: their ids.
-- Index: questions_pkey, a range of ids.
select id
from live.questions
where id > (select max(id) from live.questions where id < 1000000000) * 9 / 10 and id < 1000000000
order by hashint8extended(id, 1)
limit $1
