-- Takes buckets out of a table. {table} its name, {key_hash} its key's hash, {buckets} how many buckets; $1 the buckets. Index:
-- none, a bucket's rows lie all over the table.
delete from {table} as it
where ({key_hash} & ({buckets} - 1))::integer = any($1::integer[])
