"""Made-up histories of cluster events: what the API tells of a few clusters over a few days.

Lives of clusters, of which much is lost: terminations, starts, counts of workers. Silences are
longer than a grace, events fall on midnights and on one millisecond, trail a termination, and
some are of a type that nobody knows. A world is a function of its seed.
"""

import random

import polars as pl

from overwatch_assets.bronze.cluster_events_bronze import cluster_events_bronze
from overwatch_assets.sources.json_shapes import Shaper
from overwatch_assets.sources.rest_api.api import Json
from overwatch_assets_tests.laws.harness import WorldSource
from overwatch_assets_tests.laws.spark_world import DAY, DAYS, HOUR, START

CLUSTERS = ("0506-aaaa", "0506-bbbb", "0506-cccc", "0506-dddd", "0506-eeee")
"""Those that Spark logs and the audit log name, one a job's, and one that nothing else names."""

UP = ("CREATING", "STARTING")
BETWEEN = (
    "RUNNING",
    "RESIZING",
    "UPSIZE_COMPLETED",
    "NODES_LOST",
    "EDITED",
    "RESTARTING",
    "DRIVER_HEALTHY",
    "INIT_SCRIPTS_STARTED",
    "AUTOSCALING_STATS_REPORT",
    "EXPANDED_DISK",
    "NEVER_HEARD_OF",
)
LOST = 0.25
"""Chance that an event is lost, whatever it is."""


def cluster_event_sources(seed: int, days: int = len(DAYS)) -> dict[str, WorldSource]:
    """Cluster events, by the name of their source."""
    pick = random.Random(f"cluster events {seed}")  # noqa: S311 - no secret
    schema = {column.name: column.dtype for column in cluster_events_bronze.table.columns}
    told = [event for cluster in CLUSTERS for event in _events(pick, cluster, days)]
    rows = Shaper(pl.Schema(schema)).shape(told).rows
    return {"cluster_events": WorldSource(rows, "timestamp")}


def _events(pick: random.Random, cluster: str, days: int) -> list[Json]:
    """Events of a cluster, in order; an instant may come twice with different types."""
    until, at = START + days * DAY, START + pick.randrange(DAY)
    told: list[Json] = []
    while at < until:
        for kind in _life(pick):
            if at < until and pick.random() > LOST:
                told.append(_event(pick, cluster, kind, at))
            at = _later(pick, at)
        at += pick.choice([0, HOUR, 20 * HOUR, 30 * HOUR])
    return told


def _life(pick: random.Random) -> list[str]:
    """What happens from a start to what trails the end."""
    middle = [pick.choice(BETWEEN) for _ in range(pick.randrange(6))]
    trailing = [pick.choice(BETWEEN)] if pick.random() < 0.2 else []
    return [pick.choice(UP), *middle, "TERMINATING", *trailing]


def _event(pick: random.Random, cluster: str, kind: str, at: int) -> Json:
    size = pick.randrange(1, 5)
    told: list[Json] = [{"num_workers": size}, {"autoscale": {"min_workers": 1, "max_workers": 9}}]
    details: Json = {}
    if kind in {*UP, "EDITED"} and pick.random() < 0.8:
        details = {"cluster_size": pick.choice(told)}
    elif kind in {"RUNNING", "RESIZING", "UPSIZE_COMPLETED", "NODES_LOST"}:
        details = {"current_num_workers": size, "target_num_workers": pick.randrange(6)}
    return {"cluster_id": cluster, "timestamp": at, "type": kind, "details": details}


def _later(pick: random.Random, at: int) -> int:
    """The next instant: of the same millisecond, soon, at a midnight, or after a long silence."""
    chance = pick.random()
    if chance < 0.1:
        return at
    if chance < 0.2:
        return at + 1
    if chance < 0.35:
        return (at // DAY + 1) * DAY - pick.choice([0, 0, 1])
    if chance < 0.45:
        return at + pick.choice([24 * HOUR, 24 * HOUR + 1, 26 * HOUR, 50 * HOUR])
    return at + pick.randrange(1, 6 * HOUR)
