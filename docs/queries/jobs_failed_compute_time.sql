-- Time and money that went into runs that did not succeed, per job.
select workspace_name, job_id, max(job_name) as job_name, terminal_state, count(*) as runs,
  sum(task_runtime.runTimeH) as run_hours,
  sum(shared_worker_potential_core_H) as core_hours, sum(total_cost) as cost_usd
from jobRunCostPotentialFact where not is_open and terminal_state <> 'Succeeded'
group by workspace_name, job_id, terminal_state
order by workspace_name, cost_usd desc nulls last, job_id, terminal_state;
