"""The silver tables hold what an event-by-event reading of the rules gives."""

from collections.abc import Sequence

import polars as pl
import pytest
from hypothesis import given

from overwatch_assets.module import Module
from overwatch_assets.registry import in_load_order
from overwatch_assets_tests.laws.harness import World, WorldSource
from overwatch_assets_tests.laws.laws_test import WORLDS, seeds
from overwatch_assets_tests.laws.oracle import ENTITIES, Closed, closed_rows
from overwatch_assets_tests.laws.spark_world import DAYS, SparkWorld

TABLES = {module.table.name: module.table for module in in_load_order()}
RUN_TIMES = {
    "spark_applications_silver": "ApplicationRunTime",
    "spark_jobs_silver": "JobRunTime",
    "spark_executions_silver": "SqlExecutionRunTime",
    "spark_stages_silver": "StageRunTime",
    "spark_tasks_silver": "TaskRunTime",
}


def loaded(seed: int, modules: Sequence[Module]) -> tuple[World, SparkWorld]:
    made_up = SparkWorld(seed, names_clusters=True)
    source = WorldSource(made_up.frame(), "eventTimeMS")
    world = World({"spark_event_logs": source}, modules=modules)
    world.load(*DAYS)
    return world, made_up


def stored(world: World, name: str) -> set[Closed]:
    table = TABLES[name]
    end = pl.col(RUN_TIMES[name]).struct.field("endEpochMS").alias("end")
    rows = world.store.scan(table).filter(~pl.col("is_open")).collect()
    return {
        (
            tuple(row[key] for key in table.keys),
            row["end"],
            row["end_reason"],
            row["partition_date"],
        )
        for row in rows.with_columns(end).iter_rows(named=True)
    }


def differences(seed: int, modules: Sequence[Module]) -> dict[str, tuple[set[Closed], set[Closed]]]:
    """Per table the closed rows that only the oracle has, and those that only the table has."""
    world, made_up = loaded(seed, modules)
    found: dict[str, tuple[set[Closed], set[Closed]]] = {}
    for name in RUN_TIMES:
        expected, made = closed_rows(made_up.rows, name), stored(world, name)
        if expected != made:
            found[name] = (expected - made, made - expected)
    return found


@WORLDS
@given(seeds)
def test_closed_rows_are_those_of_the_rules_read_event_by_event(seed: int) -> None:
    assert differences(seed, in_load_order()) == {}


@pytest.mark.parametrize("name", ENTITIES)
def test_the_worlds_close_rows_for_every_reason(name: str) -> None:
    reasons: set[str] = set()
    for seed in range(20):
        made_up = SparkWorld(seed, names_clusters=True)
        reasons |= {reason for _, _, reason, _ in closed_rows(made_up.rows, name)}
    assert {"event", "application_end", "replaced"} <= reasons
