-- Spark tasks of each notebook by type and day.
with stages as (
  select distinct organization_id, spark_context_id, notebook_path, unnest(stage_ids) as stage_id
  from sparkJob where notebook_path is not null)
select t.workspace_name, s.notebook_path, t.partition_date as date, t.task_type,
  count(*) as tasks
from sparkTask t join stages s using (organization_id, spark_context_id, stage_id)
where t.end_reason = 'event'
group by all order by t.workspace_name, s.notebook_path, date, t.task_type;
