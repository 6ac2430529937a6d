-- What each workspace's clusters cost per day, and what of it no job run used.
select workspace_name, date, sum(total_cost) as cost_usd, sum(run_cost) as job_runs_usd,
  sum(idle_cost) as no_run_usd, count(*) filter (total_cost is null) as unknown_clusters
from clusterIdleCostDaily
group by all order by workspace_name, date;
