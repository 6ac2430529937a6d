-- What clusters of each kind cost: of jobs or people, single node or several.
select workspace_name, isAutomated as is_automated, cluster_type,
  count(distinct cluster_id) as clusters, sum(total_cost) as cost_usd
from clusterStateFact
group by all order by workspace_name, cost_usd desc nulls last;
