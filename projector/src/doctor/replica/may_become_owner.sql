-- Whether the projector may become the tables' owner. Answer: one row. Index: the catalogue's own.
select pg_has_role('atelier_projector', 'atelier_owner', 'set') as may
