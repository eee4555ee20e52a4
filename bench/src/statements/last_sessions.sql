-- $1 sessions at random, of the last tenth of the imported cart lines. Answer: their names, each once.
-- Index: legacy_cart_lines_pkey, a range of ids.
select session
from live.legacy_cart_lines
where id > (select max(id) from live.legacy_cart_lines) * 9 / 10
group by session
order by hashtextextended(session, 1)
limit $1
