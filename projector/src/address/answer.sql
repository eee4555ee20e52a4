-- The sealed address of an imported answer. $1 its id. Answer: one row, null when it came without one; or none.
-- Index: answers_pkey.
select answerer_email as sealed from answers where id = $1
