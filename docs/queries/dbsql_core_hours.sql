-- Core hours of SQL queries by user, warehouse and day.
select workspace_name, cast(make_timestamp(query_start_time_ms * 1000) as date) as date,
  warehouse_id, user_name, sum(task_total_time_ms) / 3.6e6 as core_hours, count(*) as queries
from sqlQueryHistory
group by all order by workspace_name, date, core_hours desc nulls last, user_name;
