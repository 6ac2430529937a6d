-- The three most expensive clusters of each workspace and day.
select workspace_name, date, cluster_id, cluster_name, total_cost as cost_usd,
  idle_cost as no_run_usd
from clusterIdleCostDaily
qualify row_number() over (
  partition by workspace_name, date order by total_cost desc nulls last, cluster_id) <= 3
order by workspace_name, date, cost_usd desc nulls last;
