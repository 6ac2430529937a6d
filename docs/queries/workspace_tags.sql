-- Tags: how many clusters have each value, how many lack the tag, and what they cost.
with tagged as (
  select workspace_name, tag_key, tag_value, sum(total_cost) as cost_usd
  from tagCostDaily group by all),
counted as (
  select workspace_name, tag.key as tag_key, tag.value as tag_value,
    count(distinct cluster_id) as clusters
  from clusterStateFact,
    unnest(map_entries(cast(cast(custom_tags as json) as map(varchar, varchar)))) as tags(tag)
  group by all)
select workspace_name, tag_key, tag_value, clusters, cost_usd
from tagged left join counted using (workspace_name, tag_key, tag_value)
order by workspace_name, tag_key, cost_usd desc nulls last;
