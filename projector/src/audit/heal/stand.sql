-- The compare-and-set of a healing: the position stays, and nobody moves it until the transaction ends. Changes one row, or none
-- when the projector went on. $1 position, $2 epoch, $3 fence as they were at the mark. Index: checkpoint_pkey (one row).
update checkpoint
set position = position
where position = $1 and epoch = $2 and fence = $3 and step = 0
