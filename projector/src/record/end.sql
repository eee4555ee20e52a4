-- Puts on record how an operation ended. $1 id, $2 outcome. Index: operations_pkey.
update control.operations
set ended = now(), outcome = $2
where id = $1
