-- Which part of the clusters scales by itself, by what they are now.
with newest as (
  select * from cluster
  qualify row_number() over (
    partition by organization_id, cluster_id order by unixTimeMS desc, action desc) = 1)
select workspace_name, is_automated, count(*) as clusters,
  count(*) filter (autoscale is not null) as autoscaling,
  count(*) filter (autoscale is not null) / count(*) as autoscaling_share
from newest where action <> 'permanentDelete'
group by all order by workspace_name, is_automated;
