-- interaction.recorded: the interactions of a batch.
-- $1 positions, $2 elements, $3 widgets, $4 times as worded, $5 times in ms since 1970. Index: interactions_pkey.
insert into interactions (id, element, widget, time, date)
select id, element, widget, worded, timestamp 'epoch' + time * interval '1 millisecond'
from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[])
    as recorded (id, element, widget, worded, time)
