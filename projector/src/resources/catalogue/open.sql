-- The one catalogue begins. $1 position of the opening event. Index: catalogue_pkey.
insert into catalogue (only_row, opened, closed) values (true, $1, null)
