-- The columns of a table, in order, as a statement names them. $1 the table's name. Answer: one row. Index: the catalogue's own.
select string_agg(quote_ident(attname), ', ' order by attnum) as columns
from pg_attribute
where attrelid = $1::regclass and attnum > 0 and not attisdropped
