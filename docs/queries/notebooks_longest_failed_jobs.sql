-- Spark jobs that failed, the longest first, with who ran them in which notebook.
select workspace_name, notebook_path, user_email, spark_context_id, job_id, timestamp,
  job_runtime.runTimeM as minutes, job_result.Exception.Message as message
from sparkJob
where job_result.Result <> 'JobSucceeded'
order by minutes desc nulls last, spark_context_id, job_id limit 20;
