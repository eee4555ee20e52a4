-- Which server this is. Answer: version. Index: none.
select current_setting('server_version') as version
