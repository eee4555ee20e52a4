-- The checkpoint. Answer: position, event hash, stream clock. Index: none, one row.
select position, event_hash, clock from checkpoint
