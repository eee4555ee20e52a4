-- What a shopper's read is like, to see how long it takes just now. $1 the first of five products by their place in the list.
-- Answer: some rows. Index: product_documents_pkey.
select listing::text
from product_documents
where ordinal between $1 and $1 + 4
