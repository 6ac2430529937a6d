"""What the demo shows of what it loaded: questions that people install the system for, as SQL."""

COST_DAYS = """
select workspace_name, date as day, round(sum(total_cost), 2) as cost_usd,
  round(sum(total_compute_cost), 2) as machines, round(sum(total_dbu_cost), 2) as dbus,
  round(sum(run_cost), 2) as job_runs, round(sum(idle_cost), 2) as no_run,
  count(distinct cluster_id) as clusters
from clusterIdleCostDaily group by all order by all"""

JOBS = """
select workspace_name, job_name, count(*) as runs, round(sum(total_cost), 2) as cost_usd,
  round(coalesce(sum(total_cost) filter (terminal_state <> 'Succeeded'), 0), 2) as not_succeeded
from jobRunCostPotentialFact group by workspace_name, job_id, job_name
order by cost_usd desc nulls last, job_name limit 10"""

CLUSTERS = """
select workspace_name, any_value(cluster_name) as cluster_name,
  round(sum(total_cost), 2) as cost_usd, round(sum(idle_cost), 2) as no_run,
  round(100 * sum(idle_cost) / sum(total_cost)) as no_run_pct
from clusterIdleCostDaily group by workspace_name, cluster_id
order by cost_usd desc nulls last, cluster_name limit 10"""

USERS = """
select workspace_name, coalesce(split_part(submitted_by, '@', 1), '(nobody known)') as by_user,
  round(sum(total_cost), 2) as cost_usd, round(sum(total_dbus), 1) as dbus
from userCostDaily where spent_on = 'job_runs' group by all
order by cost_usd desc nulls last, by_user limit 10"""

FAILED = """
select workspace_name, terminal_state, sum(runs)::bigint as runs,
  round(sum(total_cost), 2) as cost_usd
from failedRunCostDaily group by all order by all"""

WAREHOUSES = """
select workspace_name, warehouse_name, round(sum(total_cost), 2) as cost_usd,
  round(sum(total_dbus), 1) as dbus, round(sum(idle_cost), 2) as no_query,
  round(100 * sum(idle_cost) / sum(total_cost)) as no_query_pct
from warehouseIdleCostDaily group by workspace_name, warehouse_id, warehouse_name
order by cost_usd desc nulls last, warehouse_name limit 6"""

SQL_USERS = """
select workspace_name, split_part(user_name, '@', 1) as by_user, sum(queries)::bigint as queries,
  round(sum(busy_S) / 60, 1) as minutes, round(sum(core_hours), 2) as core_hours,
  round(sum(total_dbu_cost), 2) as cost_usd
from sqlUserCostDaily where spent_on = 'queries' group by all
order by cost_usd desc nulls last, by_user limit 6"""

USE = """
with tasks as (
  select workspace_name, cluster_id, sum(task_metrics.ExecutorRunTime) / 3.6e6 as task_h
  from sparkTask where end_reason = 'event' group by all),
clusters as (
  select workspace_name, cluster_id, sum(worker_potential_core_H) as core_h,
    sum(total_cost) as cost
  from clusterStateFact group by all)
select workspace_name, count(*) as clusters, count(task_h) as with_logs,
  round(sum(cost) filter (task_h is null), 2) as cost_without_logs,
  round(sum(core_h) filter (task_h is not null), 1) as core_hours,
  round(sum(task_h), 2) as task_hours,
  round(100 * sum(task_h) / sum(core_h) filter (task_h is not null), 1) as used_pct
from clusters left join tasks using (workspace_name, cluster_id)
group by all order by all"""

SPARK_WORK = """
with tasks as (
  select spark_context_id, stage_id, task_metrics.ExecutorRunTime as ms,
    task_metrics.DiskBytesSpilled as spilled, task_end_reason.Reason <> 'Success' as is_failed
  from sparkTask where end_reason = 'event')
select j.workspace_name,
  coalesce(regexp_extract(j.notebook_path, '[^/]+/[^/]+$'), 'job ' || j.db_job_id, '') as work,
  split_part(any_value(j.user_email), '@', 1) as by_user,
  count(distinct (j.spark_context_id, j.job_id)) as spark_jobs,
  round(sum(t.ms) / 3.6e6, 2) as task_hours, round(sum(t.spilled) / 1e9, 2) as spilled_gb,
  count(*) filter (t.is_failed) as failed_tasks
from (select *, unnest(stage_ids) as stage_id from sparkJob) j
join tasks t on t.spark_context_id = j.spark_context_id and t.stage_id = j.stage_id
group by 1, 2 order by task_hours desc, work limit 8"""

SPARK_DAYS = """
select workspace_name, partition_date as day, count(*) as tasks,
  count(*) filter (task_end_reason.Reason <> 'Success') as failed,
  round(sum(task_metrics.ExecutorRunTime) / 3.6e6, 1) as task_hours,
  round(sum(task_metrics.InputMetrics.BytesRead) / 1e9, 1) as read_gb,
  round(sum(task_metrics.DiskBytesSpilled) / 1e9, 2) as spilled_gb
from sparkTask where end_reason = 'event' group by all order by all"""

FAILURES = """
select task_end_reason.Reason as reason, coalesce(task_end_reason.ClassName, '') as class_name,
  count(*) as tasks, count(distinct spark_context_id) as applications
from sparkTask where task_end_reason.Reason <> 'Success'
group by all order by tasks desc, reason limit 6"""

STREAMS = """
select workspace_name, coalesce(stream_name, '(no name)') as stream, count(*) as batches,
  round(avg(streaming_metrics.batchDuration) / 1000, 1) as avg_batch_s
from sparkStream where streamSegment = 'Progressed' group by all order by all limit 6"""

SHOWN = {
    "What clusters cost, by workspace and day": COST_DAYS,
    "The most expensive jobs": JOBS,
    "The most expensive clusters, and what no job run used of them": CLUSTERS,
    "Who asked for the runs that cost most": USERS,
    "What runs cost that did not succeed": FAILED,
    "What SQL warehouses cost, and what no query used of them": WAREHOUSES,
    "Whose SQL queries cost most": SQL_USERS,
    "How well clusters were used, as far as they write event logs": USE,
    "Spark tasks, by workspace and day": SPARK_DAYS,
    "Spark work by task hours": SPARK_WORK,
    "Why Spark tasks failed": FAILURES,
    "Streams": STREAMS,
}
"""Title -> question."""

DEAREST_RUN = """
select run_id::varchar as run_id from jobRunCostPotentialFact where not is_open
order by total_cost desc nulls last, run_id limit 1"""
"""A run worth an explanation."""
