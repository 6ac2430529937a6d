-- What clusters of each node type could do for Spark, and what a core hour of it costs.
select workspace_name, coalesce(node_type_id, driver_node_type_id) as node_type,
  sum(worker_potential_core_H) as potential_core_hours, sum(total_cost) as cost_usd,
  sum(total_cost) / nullif(sum(worker_potential_core_H), 0) as usd_per_core_hour
from clusterStateFact
group by all order by workspace_name, potential_core_hours desc nulls last;
