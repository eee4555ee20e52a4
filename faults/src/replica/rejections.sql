-- Everything rejected on record. Index: none, every row is read.
select position, event_type, reason from rejections
