-- How many addresses lie under each key. No parameters. Answer: rows of table, key id, count.
-- Index: none; every row is looked at, which takes a while on a full catalogue.
select tables.name, tables.key, count(*) as addresses
from (
    select 'reviews' as name, split_part(reviewer_email, '.', 2) as key from reviews where reviewer_email is not null
    union all
    select 'questions', split_part(asker_email, '.', 2) from questions where asker_email is not null
    union all
    select 'answers', split_part(answerer_email, '.', 2) from answers where answerer_email is not null
) as tables
group by tables.name, tables.key
order by tables.name, tables.key
