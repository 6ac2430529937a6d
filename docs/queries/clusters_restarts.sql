-- How often clusters were started and restarted, per day.
select workspace_name, state_start_date as date, count(*) filter (state = 'CREATING') as created,
  count(*) filter (state = 'STARTING') as started,
  count(*) filter (state = 'RESTARTING') as restarted
from clusterStateFact
group by all order by workspace_name, date;
