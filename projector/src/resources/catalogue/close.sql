-- The catalogue is complete. $1 position of the closing event. Index: catalogue_pkey (one row).
update catalogue set closed = $1
