"""Cluster events of any shape between good ones: none of the good ones is lost or changed."""

import json
import random

import polars as pl

from overwatch_assets.sources.rest_api.api import Json
from overwatch_assets_tests.damage import damaged
from overwatch_assets_tests.sources.rest_api.cluster_world import (
    DAYS,
    HOUR,
    START,
    ClusterApi,
    ClusterDeployment,
    audit_row,
    event,
)

SEED = 20240506
GOOD, DAMAGED_EACH = 1_000, 25
FOREIGN = [
    json.loads(text)
    for text in ("null", "true", "-1", "9e307", str(2**70), '""', "[]", "{}", "[[[[]]]]")
]


def good(number: int, event_type: str = "RUNNING") -> Json:
    attributes = {"cluster_name": f"etl {number}", "autoscale": {"max_workers": 8}}
    at_ms = START + number * 1000
    return event("c-1", at_ms, event_type, user=f"good{number}", attributes=attributes)


def broken(number: int, randomly: random.Random) -> object:
    """Another event, damaged in its bytes where that is still JSON, else in one of its values."""
    whole = good(number, "EDITED")
    try:
        return json.loads(damaged(json.dumps(whole).encode(), randomly))
    except ValueError:
        copy: Json = json.loads(json.dumps(whole))
        copy[randomly.choice([*copy])] = randomly.choice(FOREIGN)
        return copy


def test_twenty_five_thousand_damaged_events_cost_no_neighbour() -> None:
    randomly = random.Random(SEED)  # noqa: S311 - reproducible damage, no secret

    def among_damaged(page: list[Json]) -> list[object]:
        return [
            each
            for number, whole in enumerate(page)
            for each in (*(broken(number, randomly) for _ in range(DAMAGED_EACH)), whole)
        ]

    events = [good(number) for number in range(GOOD)]
    api = ClusterApi({"c-1": events}, page_size=100, mix=among_damaged)
    loaded = ClusterDeployment(api, [audit_row("c-1", START + HOUR)])
    [record] = loaded.load(DAYS[0])
    whole = ClusterDeployment(ClusterApi({"c-1": events}), [audit_row("c-1", START + HOUR)])
    whole.load(DAYS[0])
    stored, expected = loaded.rows(), whole.rows()
    told = ["cluster_id", "timestamp", "type", "details"]
    assert expected.height == GOOD
    kept = stored.filter(pl.col("type") == "RUNNING").select(told)
    assert kept.sort("timestamp").equals(expected.select(told).sort("timestamp"))
    assert stored.filter(pl.col("timestamp").is_null()).is_empty()
    assert GOOD < int(record.details["rejected"]) < GOOD * DAMAGED_EACH
