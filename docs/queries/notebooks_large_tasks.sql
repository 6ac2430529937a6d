-- Spark tasks that read more than 400 MB: partitions that are too large.
with stages as (
  select distinct organization_id, spark_context_id, notebook_path, unnest(stage_ids) as stage_id
  from sparkJob where notebook_path is not null)
select t.workspace_name, s.notebook_path, t.stage_id, count(*) as tasks,
  max(t.task_metrics.InputMetrics.BytesRead) as largest_bytes
from sparkTask t join stages s using (organization_id, spark_context_id, stage_id)
where t.task_metrics.InputMetrics.BytesRead > 400 * 1024 * 1024
group by all order by largest_bytes desc, s.notebook_path, t.stage_id;
