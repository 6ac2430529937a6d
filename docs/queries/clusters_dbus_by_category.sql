-- What DBUs of jobs' clusters, people's clusters and SQL warehouses cost, per day.
select workspace_name, date, sku, sum(total_dbus) as dbus, sum(total_DBU_cost) as dbu_usd
from clusterStateFactDaily
group by all order by workspace_name, date, dbu_usd desc nulls last;
