-- The sealed address of an imported question. $1 its id. Answer: one row, null when it came without one; or none.
-- Index: questions_pkey.
select asker_email as sealed from questions where id = $1
