-- A generation is begun. $1 schema, $2 source. Index: generations_pkey; a row for each generation that is there.
insert into control.generations (schema, number, source, complete, made)
select $1, coalesce(max(number), 0) + 1, $2, false, now()
from control.generations
