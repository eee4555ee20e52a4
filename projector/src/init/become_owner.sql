-- The closing of a catalogue makes indexes, which only the owner may: the projector may become it, and does not inherit.
grant atelier_owner to atelier_projector with inherit false, set true;
-- An index that is made is logged without being compressed, which takes longer than making it.
grant set on parameter wal_compression to atelier_owner;
