-- Stand by while another projector holds this generation. Answer: locked. Ends with the session. Index: none.
select pg_try_advisory_lock(hashtext('atelier projector ' || current_schema())) as locked
