-- What each job's runs cost per day.
select workspace_name, date, job_id, max(job_name) as job_name, count(distinct run_id) as runs,
  sum(total_cost) as cost_usd, count(*) filter (total_cost is null) as unknown_runs
from jobRunCostDaily
group by workspace_name, date, job_id
order by workspace_name, date, cost_usd desc nulls last, job_id;
