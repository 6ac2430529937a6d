-- States in which something went wrong, and what they cost.
select workspace_name, state, count(*) as states, count(distinct cluster_id) as clusters,
  sum(uptime_in_state_H) as hours, sum(total_cost) as cost_usd
from clusterStateFact
where state in ('DRIVER_NOT_RESPONDING', 'DRIVER_UNAVAILABLE', 'DRIVER_UNHEALTHY',
    'SPARK_EXCEPTION', 'METASTORE_DOWN', 'DBFS_DOWN', 'NODES_LOST', 'NODE_BLACKLISTED',
    'NODE_EXCLUDED_DECOMMISSIONED', 'FAILED_TO_EXPAND_DISK', 'DID_NOT_EXPAND_DISK',
    'AUTOSCALING_FAILED', 'INIT_SCRIPTS_FAILED')
group by all order by workspace_name, states desc, state;
