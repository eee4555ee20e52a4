-- Where the serving generation stands; nothing is applied to it until the transaction ends. Answer: one row. Index:
-- checkpoint_pkey (one row).
select position, epoch, fence, projection_version from live.checkpoint for update
