-- Keeps the last event of the stream that this replica saw without having applied it.
-- $1 epoch, $2 position, $3 event hash. Answers nothing.
-- Index: heard_pkey (one row).
insert into control.heard (only_row, epoch, position, event_hash)
values (true, $1, $2, $3)
on conflict (only_row) do update set
    epoch = excluded.epoch,
    position = excluded.position,
    event_hash = excluded.event_hash
