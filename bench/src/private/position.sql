-- How far this replica is. Answer: one row; `step` moves while a catalogue is being closed. checkpoint has one row.
select position, step from live.checkpoint
