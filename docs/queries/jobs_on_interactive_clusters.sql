-- Jobs that run on people's clusters, where a DBU costs more.
select workspace_name, job_id, max(job_name) as job_name, count(*) as runs,
  sum(total_dbus) as dbus, sum(total_dbu_cost) as dbu_usd, sum(total_cost) as cost_usd
from jobRunCostPotentialFact where cluster_type = 'interactive'
group by workspace_name, job_id order by workspace_name, cost_usd desc nulls last, job_id;
