-- The rows of some buckets as COPY text. {table} its name, {key_hash} its key's hash, {buckets} how many buckets, {these} the
-- buckets, {named} the columns in their order. Index: none, a bucket's rows lie all over the table.
copy (
    select {named}
    from {table} as it
    where ({key_hash} & ({buckets} - 1))::integer in ({these})
) to stdout
