-- Others may rebuild this replica again. Index: none.
select pg_advisory_unlock(hashtext('atelier rebuild'))
