-- DBUs against machines: what Databricks and what the cloud is paid, per workspace and day.
select workspace_name, date, sum(total_dbu_cost) as dbu_usd,
  sum(total_compute_cost) as machines_usd, sum(total_dbus) as dbus, sum(total_dbu_cost) / sum(total_cost) as dbu_share
from clusterIdleCostDaily
group by all order by workspace_name, date;
