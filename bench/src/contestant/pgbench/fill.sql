-- $1 the texts; each gets its place as its key, from 1.
insert into texts (id, text)
select ordinality, text
from unnest($1::text[]) with ordinality as given (text, ordinality)
