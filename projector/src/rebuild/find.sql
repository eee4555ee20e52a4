-- What is known of a generation. $1 schema. Answer: no row or one: number, source, complete, and whether its schema and its
-- checkpoint are there. Index: generations_pkey.
select number, source, complete, to_regclass($1 || '.checkpoint') is not null as there
from control.generations
where schema = $1
