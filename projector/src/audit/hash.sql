-- What a table holds, in 256 buckets by the last eight bits of its keys' hashes. {table} its name, {key_hash} its key's hash,
-- {row_hash} its row's hash. Answer: a row for each bucket that holds anything: bucket, rows, the sum of their hashes. Index:
-- none, everything is read. Bit by bit, because of a truth the planner knows that there are two: it expects 256 groups
-- instead of one a row, and lets workers share the table.
select
    min(key.hash & 255)::integer as bucket,
    count(*) as rows,
    sum({row_hash})::text as sum
from {table} as it
cross join lateral (select {key_hash} as hash) as key
group by
    key.hash & 1 = 0,
    key.hash & 2 = 0,
    key.hash & 4 = 0,
    key.hash & 8 = 0,
    key.hash & 16 = 0,
    key.hash & 32 = 0,
    key.hash & 64 = 0,
    key.hash & 128 = 0
