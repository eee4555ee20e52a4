-- Puts on record that an operation begins. $1 verb, $2 arguments, $3 operator. Answer: id. Index: none, rows are added.
insert into control.operations (verb, arguments, operator, begun)
values ($1, $2, $3, now())
returning id
