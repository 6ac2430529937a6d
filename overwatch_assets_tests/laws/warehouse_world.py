"""Made-up lives of SQL warehouses: what audit log, captures and system table tell of them.

Everything odd is frequent: warehouses older than the audit log or known only from captures,
refused and nameless requests, requests and events of one millisecond and at midnights, events
that are lost or of a type that nobody knows, silences longer than a day, deleted ones that go on.
A world is a function of its seed.
"""

import json
import random

import polars as pl

from overwatch_assets.bronze.warehouse_events_bronze import warehouse_events_bronze
from overwatch_assets.bronze.warehouses_snapshot_bronze import warehouses_snapshot_bronze
from overwatch_assets.sources.json_shapes import Shaper
from overwatch_assets.sources.rest_api.api import Json
from overwatch_assets_tests.laws.cluster_world import USERS, audit_event, audit_rows, captured
from overwatch_assets_tests.laws.harness import WorldSource
from overwatch_assets_tests.laws.spark_world import DAY, DAYS, HOUR, START

WAREHOUSES = ("w-1", "w-2", "w-3", "w-4")
SIZES = ("2X-Small", "Small", "Medium", "Gigantic")
UNKNOWN = "w-9"
"""A warehouse that only its events tell of."""

BETWEEN = ("SCALED_UP", "SCALED_DOWN", "RUNNING", "NEVER_HEARD_OF")
LOST = 0.25
"""Chance that an event is lost, whatever it is."""

STATES = ("STARTING", "RUNNING", "STOPPING", "STOPPED", "DELETED")
TAGS: tuple[Json, ...] = ({"custom_tags": [{"key": "team", "value": "bi"}]}, {"custom_tags": []})


def warehouse_sources(seed: int, days: int = len(DAYS)) -> dict[str, WorldSource]:
    """Everything that is told of warehouses, by the name of its source."""
    pick = random.Random(f"warehouses {seed}")  # noqa: S311 - no secret
    schema = {column.name: column.dtype for column in warehouse_events_bronze.table.columns}
    events = [
        event for warehouse in (*WAREHOUSES, UNKNOWN) for event in _events(pick, warehouse, days)
    ]
    return {
        "warehouse_events": WorldSource(Shaper(pl.Schema(schema)).shape(events).rows, "timestamp"),
        "audit_logs": WorldSource(audit_rows(warehouse_requests(pick, days)), "timestamp"),
        "warehouses": captured(warehouses_snapshot_bronze, _captures(pick, days)),
    }


def _events(pick: random.Random, warehouse: str, days: int) -> list[Json]:
    """Lives of a warehouse, in order; a quarter of what happens is not told."""
    until, at = START + days * DAY, START + pick.randrange(DAY)
    told: list[Json] = []
    while at < until:
        middle = [pick.choice(BETWEEN) for _ in range(pick.randrange(5))]
        for kind in ("STARTING", "RUNNING", *middle, "STOPPING", "STOPPED"):
            if at < until and pick.random() > LOST:
                clusters = pick.choice([None, 0, 1, 3])
                told.append(
                    {
                        "warehouse_id": warehouse,
                        "timestamp": at,
                        "event_type": kind,
                        "cluster_count": clusters,
                    }
                )
            at = _later(pick, at)
        at += pick.choice([0, HOUR, 20 * HOUR, 30 * HOUR])
    return told


def _later(pick: random.Random, at: int) -> int:
    """The next instant: of the same millisecond, soon, at a midnight, or after a long silence."""
    chance = pick.random()
    if chance < 0.1:
        return at
    if chance < 0.3:
        return (at // DAY + 1) * DAY - pick.choice([0, 0, 1])
    if chance < 0.4:
        return at + pick.choice([24 * HOUR, 26 * HOUR, 50 * HOUR])
    return at + pick.randrange(1, 6 * HOUR)


def warehouse_requests(pick: random.Random, days: int) -> list[Json]:
    """Everything that people do to a few warehouses."""
    return [
        _request(pick, warehouse, at)
        for warehouse in WAREHOUSES
        for at in sorted(instant(pick, days) for _ in range(pick.randrange(7)))
    ]


def _request(pick: random.Random, warehouse: str, at: int) -> Json:
    kind = pick.choice(["Warehouse", "Endpoint"])
    action = pick.choice(["create", "edit", "edit", "edit", "delete", "start"])
    user, request = pick.choice([*USERS, None]), pick.choice([None, f"r-{pick.randrange(9)}"])
    status = 200 if pick.random() < 0.85 else 403
    named: Json = {"id": warehouse} if pick.random() < 0.95 else {}
    result: str | None = None
    params: Json = named
    match action:
        case "create":
            params, result = settings(pick), json.dumps(named)
        case "edit":
            params = {**named, **settings(pick)}
        case _:
            pass
    return audit_event(
        at, f"databrickssql.{action}{kind}", params,
        result=result, status=status, user=user, request=request,
    )  # fmt: skip


def settings(pick: random.Random) -> Json:
    """What a request says; often little."""
    told: Json = {
        "name": pick.choice(["bi", "etl"]),
        "cluster_size": pick.choice(SIZES),
        "min_num_clusters": pick.choice([1, 2]),
        "max_num_clusters": pick.choice([2, 4, "many"]),
        "auto_stop_mins": pick.choice([10, 45]),
        "enable_photon": pick.choice([True, False]),
        "warehouse_type": pick.choice(["PRO", "CLASSIC"]),
        "channel": {"name": "CHANNEL_NAME_CURRENT"},
        "tags": pick.choice(TAGS),
    }
    return {name: value for name, value in told.items() if pick.random() < 0.5}


def _captures(pick: random.Random, days: int) -> list[Json]:
    hours = [pick.choice([0, 6 * HOUR, 17 * HOUR, DAY - 1]) for _ in range(days)]
    instants = [START + n * DAY + at for n, at in enumerate(hours) if pick.random() < 0.75]
    return [
        {
            "warehouse_id": warehouse,
            "captured_at_ms": at,
            "name": pick.choice(["bi", None]),
            "cluster_size": pick.choice([*SIZES, None]),
            "min_num_clusters": pick.choice([1, None]),
            "max_num_clusters": pick.choice([3, None]),
            "tags": pick.choice([{"team": "bi"}, None]),
            "creator_name": pick.choice([*USERS, None]),
            "channel": {"name": "CHANNEL_NAME_PREVIEW"},
            "state": pick.choice(STATES),
        }
        for at in instants
        for warehouse in pick.sample(WAREHOUSES, pick.randrange(len(WAREHOUSES) + 1))
    ]


def instant(pick: random.Random, days: int) -> int:
    """Often a midnight, the last millisecond of a day or a full hour: ties occur."""
    at = START + pick.randrange(days * DAY)
    chance = pick.random()
    if chance < 0.2:
        return at // DAY * DAY
    if chance < 0.3:
        return at // DAY * DAY + DAY - 1
    return at // HOUR * HOUR if chance < 0.6 else at
