-- Bytes that each notebook's Spark tasks read and wrote per second of their time.
with stages as (
  select distinct organization_id, spark_context_id, notebook_path, unnest(stage_ids) as stage_id
  from sparkJob where notebook_path is not null)
select t.workspace_name, s.notebook_path, count(*) as tasks,
  sum(t.task_metrics.InputMetrics.BytesRead) as read_bytes,
  sum(t.task_metrics.OutputMetrics.BytesWritten) as written_bytes,
  (sum(t.task_metrics.InputMetrics.BytesRead) + sum(t.task_metrics.OutputMetrics.BytesWritten))
    / (sum(t.task_metrics.ExecutorRunTime) / 1000) as bytes_per_s
from sparkTask t join stages s using (organization_id, spark_context_id, stage_id)
where t.end_reason = 'event'
group by all order by t.workspace_name, read_bytes desc nulls last;
