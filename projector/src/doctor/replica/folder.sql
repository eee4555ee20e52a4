-- Where Postgres stores; only the administrator may know. Answer: one row. Index: none.
select current_setting('data_directory') as folder
