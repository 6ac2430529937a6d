-- How long clusters wait for machines, with pools and without: starts and resizes that grew.
with waits as (
  select f.workspace_name, f.organization_id, f.cluster_id, f.unixTimeMS_state_start,
    f.uptime_in_state_S, f.state
  from clusterStateFact f
  where f.state in ('CREATING', 'STARTING')
    or (f.state = 'RESIZING' and f.target_num_workers > f.current_num_workers)),
pooled as (
  select w.*, c.instance_pool_id is not null as has_pool
  from waits w asof left join cluster c on w.organization_id = c.organization_id
    and w.cluster_id = c.cluster_id and w.unixTimeMS_state_start >= c.unixTimeMS)
select workspace_name, has_pool, state, count(*) as waits,
  avg(uptime_in_state_S) as avg_s, quantile_cont(uptime_in_state_S, 0.95) as p95_s
from pooled
group by all order by workspace_name, has_pool, state;
