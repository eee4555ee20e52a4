-- An index that is made is logged without being compressed, which takes longer than making it.
grant set on parameter wal_compression to atelier_owner;
