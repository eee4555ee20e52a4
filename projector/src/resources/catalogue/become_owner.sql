-- For the rest of the steps, until the statement in analyze.sql. More memory sorts an index in one pass.
set local role atelier_owner;
set local maintenance_work_mem = '256MB';
set local work_mem = '64MB';
