-- Everything of a generation is there. $1 schema. Index: generations_pkey.
update control.generations set complete = true where schema = $1
