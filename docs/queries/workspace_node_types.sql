-- Node types: how many clusters run on them, for how long, at what cost and list price.
with nodes as (
  select organization_id, workspace_name, cluster_id, driver_node_type_id as node_type,
    state_start_date as day, driver_compute_cost + driver_dbu_cost as cost,
    case when cloud_billable then uptime_in_state_H else 0 end as node_hours
  from clusterStateFact
  union all
  select organization_id, workspace_name, cluster_id, node_type_id, state_start_date,
    worker_compute_cost + worker_dbu_cost,
    case when cloud_billable then uptime_in_state_H * current_num_workers else 0 end
  from clusterStateFact where node_type_id is not null)
select n.workspace_name, n.node_type, count(distinct n.cluster_id) as clusters,
  sum(n.node_hours) as node_hours, sum(n.cost) as cost_usd,
  any_value(i.vCPUs) as cores, any_value(i.Compute_Contract_Price) as machine_usd_per_hour
from nodes n
left join instanceDetails i on i.organization_id = n.organization_id
  and lower(trim(i.API_Name)) = lower(n.node_type)
  and i.activeFrom <= n.day and n.day < coalesce(i.activeUntil, date '9999-12-31')
group by n.workspace_name, n.node_type
order by n.workspace_name, cost_usd desc nulls last;
