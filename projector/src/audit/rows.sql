-- Rows of a table by their keys, to be shown. {table} its name, {key_hash} its key's hash, {buckets} how many buckets, {key} its
-- key's columns, {columns} all its columns; $1 the buckets of these keys, $2 the keys, each as one text. Answer: a row for
-- each that is there: the key as one text, and its values in the columns' order. Index: none: what is shown is what was hashed,
-- and an index may be what is wrong.
select
    array[{key}]::text as name,
    array[{columns}] as held
from {table} as it
where ({key_hash} & ({buckets} - 1))::integer = any($1::integer[]) and array[{key}]::text = any($2::text[])
