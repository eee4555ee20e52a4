-- What a table holds, in buckets. {table} its name, {key_hash} its key's hash, {buckets} how many buckets. Answer: a row for
-- each bucket that holds anything: bucket, rows, the sum of their hashes. Index: none, everything is read.
select
    ({key_hash} & ({buckets} - 1))::integer as bucket,
    count(*) as rows,
    sum(hashtextextended(it::text collate "C", 0))::text as sum
from {table} as it
group by 1
