-- SQL queries: how many, how they ended, how long they took.
select workspace_name, warehouse_id, statement_type, status, count(*) as queries,
  avg(duration) / 1000 as avg_s, quantile_cont(duration, 0.95) / 1000 as p95_s,
  sum(read_bytes) as read_bytes
from sqlQueryHistory
group by all order by workspace_name, queries desc, warehouse_id, statement_type, status;
