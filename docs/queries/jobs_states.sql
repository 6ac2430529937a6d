-- How job runs ended, per day of their end.
select workspace_name, partition_date as date, terminal_state, count(*) as runs
from jobRun where not is_open
group by all order by workspace_name, date, runs desc, terminal_state;
