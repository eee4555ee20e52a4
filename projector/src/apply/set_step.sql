-- The compare-and-set of a step: changes one row, or none when another projector was here. $1 position, $2 epoch,
-- $3 fence as remembered, $4 the step's bit. Index: checkpoint_pkey (one row).
update checkpoint
set step = step | $4
where position = $1 and epoch = $2 and fence = $3 and step & $4 = 0
