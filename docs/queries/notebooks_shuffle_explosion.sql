-- Notebooks that shuffle more than they read: bytes shuffled for each byte of input.
with stages as (
  select distinct organization_id, spark_context_id, notebook_path, unnest(stage_ids) as stage_id
  from sparkJob where notebook_path is not null)
select t.workspace_name, s.notebook_path,
  sum(t.task_metrics.InputMetrics.BytesRead) as read_bytes,
  sum(t.task_metrics.ShuffleWriteMetrics.ShuffleBytesWritten) as shuffled_bytes,
  sum(t.task_metrics.ShuffleWriteMetrics.ShuffleBytesWritten)
    / nullif(sum(t.task_metrics.InputMetrics.BytesRead), 0) as shuffled_per_byte
from sparkTask t join stages s using (organization_id, spark_context_id, stage_id)
group by all order by shuffled_per_byte desc nulls last, s.notebook_path;
