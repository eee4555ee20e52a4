-- Which projection version wrote the generation. Index: checkpoint_pkey (one row).
select projection_version from checkpoint
