-- From now on a predecessor's compare-and-set fails, wherever it was stopped. Index: checkpoint_pkey (one row).
update checkpoint set fence = fence + 1
