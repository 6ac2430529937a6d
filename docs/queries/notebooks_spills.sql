-- Notebooks whose Spark tasks did not fit into memory: bytes spilled to disk.
with stages as (
  select distinct organization_id, spark_context_id, notebook_path, unnest(stage_ids) as stage_id
  from sparkJob where notebook_path is not null)
select t.workspace_name, s.notebook_path,
  count(*) filter (t.task_metrics.DiskBytesSpilled > 0) as tasks_that_spilled,
  sum(t.task_metrics.MemoryBytesSpilled) as memory_bytes,
  sum(t.task_metrics.DiskBytesSpilled) as disk_bytes
from sparkTask t join stages s using (organization_id, spark_context_id, stage_id)
group by all having sum(t.task_metrics.DiskBytesSpilled) > 0
order by disk_bytes desc;
