-- Whether the one catalogue was closed; no row: none was opened. Index: catalogue_pkey (one row).
select closed is not null as closed from catalogue
