-- Events that are parked here. Answer: positions. Index: none, all rejections are looked at; an operator asks.
select position
from rejections
where reason = 'parked'
