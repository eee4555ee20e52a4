-- Whether a step is still to be made, by us: the first statement of its transaction. Steps are made side by side, so the
-- row is only looked at; the step's last statement sets it. $1 position, $2 epoch, $3 fence as remembered, $4 the step's
-- bit. Answer: one row, or none. Index: checkpoint_pkey (one row).
select from checkpoint
where position = $1 and epoch = $2 and fence = $3 and step & $4 = 0
