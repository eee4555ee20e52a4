-- The rows of some buckets of a table, each as its key and a hash. {table} its name, {key_hash} its key's hash, {row_hash} its
-- row's hash, {buckets} how many buckets, {key} its key's columns; $1 buckets. Answer: a row for each: bucket, key, the key as one
-- text, hash. Index: none, a bucket's rows lie all over the table.
select
    ({key_hash} & ({buckets} - 1))::integer as bucket,
    array[{key}] as key,
    array[{key}]::text as name,
    {row_hash} as hash
from {table} as it
where ({key_hash} & ({buckets} - 1))::integer = any($1::integer[])
