-- How far this replica is. Answer: one row. checkpoint has one row.
select position from live.checkpoint
