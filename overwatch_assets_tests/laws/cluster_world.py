"""Made-up lives of clusters and pools: what the audit log and the API's captures tell of them.

Everything odd is frequent: events at midnights and of one millisecond, clusters that are older
than the audit log or known only from captures, refused and nameless requests, deleted ones that go
on, warehouses' clusters. A world is a function of its seed.
"""

import random
import zlib
from collections.abc import Mapping, Sequence

import polars as pl

from overwatch_assets.bronze.audit_log_bronze import audit_log_bronze
from overwatch_assets.bronze.clusters_snapshot_bronze import clusters_snapshot_bronze
from overwatch_assets.bronze.pools_snapshot_bronze import pools_snapshot_bronze
from overwatch_assets.module import Module
from overwatch_assets.sources.canonical_json import canonical_params
from overwatch_assets.sources.json_shapes import Shaper
from overwatch_assets.sources.rest_api.api import Json
from overwatch_assets_tests.laws.harness import WorldSource
from overwatch_assets_tests.laws.spark_world import DAY, DAYS, HOUR, START

CLUSTERS = ("0506-aaaa", "0506-bbbb", "0506-cccc", "0506-dddd")
"""Those that cluster events tell of, and others."""

POOLS = ("pool-1", "pool-2")
USERS = ("maria@acme.example", "noah@acme.example")
NODES = ("r5.xlarge", "r5.2xlarge", "m5.large")
RUNTIMES = ("15.4.x-scala2.12", "15.4.x-photon-scala2.12", "apache_spark_3.5.x-scala2.12")
STATES = ("PENDING", "RUNNING", "RESTARTING", "RESIZING", "TERMINATING", "TERMINATED", "ERROR")


def cluster_sources(seed: int, days: int = len(DAYS)) -> dict[str, WorldSource]:
    """Audit events and captures of clusters and pools, by the name of their source."""
    pick = random.Random(f"clusters {seed}")  # noqa: S311 - no secret
    return {
        "audit_logs": WorldSource(audit_rows(cluster_events(pick, days)), "timestamp"),
        "clusters": captured(clusters_snapshot_bronze, _cluster_captures(pick, days)),
        "instance_pools": captured(pools_snapshot_bronze, _pool_captures(pick, days)),
    }


def audit_event(
    at: int,
    what: str,
    params: Mapping[str, object],
    *,
    result: str | None = None,
    status: int | None = 200,
    user: str | None = USERS[0],
    request: str | None = None,
) -> Json:
    """An audit event, `service.action`, as bronze would store it."""
    service, action = what.split(".")
    text = canonical_params(params)
    told = f"{at} {what} {text} {result} {status} {user} {request}"
    return {
        "timestamp": at,
        "serviceName": service,
        "actionName": action,
        "requestId": request,
        "hashKey": zlib.crc32(told.encode()),
        "userIdentity": {"email": user, "subjectName": None},
        "response": {"statusCode": status, "errorMessage": None, "result": result},
        "requestParams": text,
        "version": "2.0",
    }


def audit_rows(events: Sequence[Json]) -> pl.DataFrame:
    """Audit events as rows of `audit_log_bronze`."""
    schema = {column.name: column.dtype for column in audit_log_bronze.table.columns}
    full = [{name: event.get(name) for name in schema} for event in events]
    dates = pl.from_epoch("timestamp", time_unit="ms").dt.date()
    return pl.DataFrame(full, schema=schema, infer_schema_length=None).with_columns(date=dates)


def cluster_events(pick: random.Random, days: int) -> list[Json]:
    """Everything that people and Databricks do to a few clusters and pools."""
    events: list[Json] = []
    spans = max(1, days // len(DAYS))
    for cluster in CLUSTERS:
        for at in sorted(_instant(pick, days) for _ in range(pick.randrange(7 * spans))):
            events += _to_cluster(pick, cluster, at)
    for pool in POOLS:
        instants = sorted(_instant(pick, days) for _ in range(pick.randrange(4 * spans)))
        for number, at in enumerate(instants):
            events.append(_to_pool(pick, pool, at, is_first=number == 0))
    until = START + days * DAY
    return [event for event in events if int(str(event["timestamp"])) < until]


def _to_cluster(pick: random.Random, cluster: str, at: int) -> list[Json]:
    """A request, often with its result or another of the same millisecond."""
    action = pick.choice(
        ["create", "edit", "edit", "resize", "start", "restart", "delete", "permanentDelete", "acl"]
    )
    user = pick.choice([*USERS, None])
    request = pick.choice([None, f"r-{pick.randrange(99)}"])
    named: Json = {"cluster_id": cluster}
    match action:
        case "create":
            made = f'{{"cluster_id":"{cluster}"}}' if pick.random() < 0.8 else "{}"
            refused = pick.random() < 0.15
            told = audit_event(
                at, "clusters.create", definition(pick, cluster), result=None if refused else made,
                status=400 if refused else 200, user=user, request=request,
            )  # fmt: skip
        case "edit":
            params = {**definition(pick, cluster), **(named if pick.random() < 0.9 else {})}
            told = audit_event(at, "clusters.edit", params, user=user, request=request)
        case "resize":
            params = {**named, **_size(pick)}
            told = audit_event(at, "clusters.resize", params, user=user, request=request)
        case "acl":
            told = audit_event(at, "clusters.changeClusterAcl", {"resourceId": cluster})
        case _:
            told = audit_event(at, f"clusters.{action}", named, user=user, request=request)
    if action in {"acl", "edit", "permanentDelete"} or pick.random() < 0.3:
        return [told] if pick.random() < 0.8 else [told, {**told, "requestId": "again"}]
    later = at + pick.choice([0, 1, HOUR // 2, DAY])
    done: Json = {"clusterId": cluster, "clusterName": _name(cluster), "clusterWorkers": 2}
    return [told, audit_event(later, f"clusters.{action}Result", done, user=None, request=request)]


def definition(pick: random.Random, cluster: str) -> Json:
    """Parameters of a create or an edit; some say little."""
    node, driver = pick.choice(NODES), pick.choice([*NODES, None])
    machines: Json = {"node_type_id": node, "driver_node_type_id": driver}
    if pick.random() < 0.3:
        machines = {"instance_pool_id": pick.choice([*POOLS, "pool-unknown"])}
        machines |= {"driver_instance_pool_id": pick.choice([POOLS[0], None])}
    tags = {"team": pick.choice(["bi", "etl"])}
    if pick.random() < 0.1:
        tags["SqlEndpointId"] = "w-1"
    single = {"spark.databricks.cluster.profile": "singleNode", "spark.master": "local[*]"}
    return {
        "cluster_name": _name(cluster),
        "spark_version": pick.choice([*RUNTIMES, None]),
        **machines,
        **_size(pick),
        "custom_tags": pick.choice([tags, None]),
        "spark_conf": pick.choice([single, {"spark.speculation": "true"}, "not { json", None]),
        "autotermination_minutes": pick.choice([30, 120, None]),
        "aws_attributes": pick.choice([{"zone_id": "a", "first_on_demand": 1}, None]),
        "runtime_engine": pick.choice([None, None, "PHOTON"]),
        "single_user_name": pick.choice([None, USERS[0]]),
        "cluster_source": "JOB" if cluster.endswith("dddd") else "UI",
    }


def _name(cluster: str) -> str:
    """Two clusters share a name, one is a job's."""
    return {"0506-aaaa": "shared", "0506-bbbb": "shared", "0506-dddd": "job-7-run-9"}.get(
        cluster, cluster
    )


def _size(pick: random.Random) -> Json:
    least = pick.randrange(3)
    sizes: list[Json] = [
        {"num_workers": least},
        {"autoscale": {"min_workers": least, "max_workers": least + 3}},
        {},
    ]
    return pick.choice(sizes)


def _to_pool(pick: random.Random, pool: str, at: int, *, is_first: bool) -> Json:
    """A change of a pool; a deletion, which tells no settings, is never the first one."""
    action = pick.choice(["create", "edit", "edit", *([] if is_first else ["delete"])])
    settings: Json = {
        "instance_pool_name": f"{pool} {pick.choice('xy')}",
        "node_type_id": pick.choice([*NODES, None]),
        "min_idle_instances": pick.choice([0, 2, None]),
        "preloaded_spark_versions": pick.choice([list(RUNTIMES[:1]), None]),
        "custom_tags": pick.choice([{"team": "etl"}, None]),
    }
    status = 200 if is_first or pick.random() < 0.85 else 403
    if action == "create":
        made = f'{{"instance_pool_id":"{pool}"}}'
        return audit_event(at, "instancePools.create", settings, result=made, status=status)
    params = {"instance_pool_id": pool, **(settings if action == "edit" else {})}
    return audit_event(at, f"instancePools.{action}", params, status=status)


def _cluster_captures(pick: random.Random, days: int) -> list[Json]:
    return [
        {
            **{key: value for key, value in definition(pick, cluster).items() if value is not None},
            "spark_conf": {"spark.speculation": "true"},
            "cluster_id": cluster,
            "state": pick.choice(STATES),
            "creator_user_name": pick.choice([*USERS, None]),
            "default_tags": pick.choice([{"Creator": USERS[1]}, None]),
            "start_time": pick.choice([START - DAY, None, _instant(pick, days)]),
            "captured_at_ms": at,
        }
        for at in _capture_instants(pick, days)
        for cluster in pick.sample(CLUSTERS, pick.randrange(len(CLUSTERS) + 1))
    ]


def _pool_captures(pick: random.Random, days: int) -> list[Json]:
    return [
        {
            "instance_pool_id": pool,
            "instance_pool_name": pool,
            "node_type_id": pick.choice(NODES),
            "max_capacity": pick.choice([8, None]),
            "captured_at_ms": at,
        }
        for at in _capture_instants(pick, days)
        for pool in pick.sample(POOLS, pick.randrange(len(POOLS) + 1))
    ]


def _capture_instants(pick: random.Random, days: int) -> list[int]:
    """One capture on most days, at any hour, at a midnight too."""
    hours = [pick.choice([0, 6 * HOUR, 6 * HOUR, 17 * HOUR, DAY - 1]) for _ in range(days)]
    return [START + n * DAY + at for n, at in enumerate(hours) if pick.random() < 0.75]


def captured(module: Module, objects: Sequence[Json]) -> WorldSource:
    """Objects as captures of a table."""
    schema = pl.Schema({column.name: column.dtype for column in module.table.columns})
    return WorldSource(Shaper(schema).shape(objects).rows, "captured_at_ms", is_capture=True)


def _instant(pick: random.Random, days: int) -> int:
    """Often a midnight, the last millisecond of a day or a full hour: ties occur."""
    at = START + pick.randrange(days * DAY)
    chance = pick.random()
    if chance < 0.2:
        return at // DAY * DAY
    if chance < 0.3:
        return at // DAY * DAY + DAY - 1
    return at // HOUR * HOUR if chance < 0.6 else at
