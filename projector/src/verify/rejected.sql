-- How many events of each type were rejected, and how many of them parked. Answer: event_type, rejected, parked. Index: none,
-- all of them are counted; an operator asks.
select event_type, count(*) filter (where reason <> 'parked') as rejected, count(*) filter (where reason = 'parked') as parked
from rejections
group by event_type
