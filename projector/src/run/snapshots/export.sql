-- Names this transaction's snapshot for other sessions. Answer: snapshot. Index: none.
select pg_export_snapshot() as snapshot
