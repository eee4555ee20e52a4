-- Whether an event was rejected because it is parked. $1 position. Answer: one row: parked. Index: rejections_pkey.
select exists (select from rejections where position = $1 and reason = 'parked') as parked
