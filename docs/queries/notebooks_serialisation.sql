-- Time that each notebook's Spark tasks spend on moving code and results, against work.
with stages as (
  select distinct organization_id, spark_context_id, notebook_path, unnest(stage_ids) as stage_id
  from sparkJob where notebook_path is not null)
select t.workspace_name, s.notebook_path,
  sum(t.task_metrics.ExecutorDeserializeTime) / 1000 as deserialise_s,
  sum(t.task_metrics.ResultSerializationTime) / 1000 as serialise_s,
  sum(t.task_metrics.ExecutorRunTime) / 1000 as run_s
from sparkTask t join stages s using (organization_id, spark_context_id, stage_id)
group by all order by deserialise_s desc nulls last, s.notebook_path;
