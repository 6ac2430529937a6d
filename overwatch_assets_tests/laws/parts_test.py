"""A day that is worked on in parts has the rows of one that is worked on as a whole."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from overwatch_assets.execution import bronze
from overwatch_assets.execution import parts as parts_of_days
from overwatch_assets.execution.parts import divided
from overwatch_assets.execution.records import Record
from overwatch_assets.module import Parts
from overwatch_assets.registry import MODULES, in_load_order
from overwatch_assets_tests.laws.harness import World, WorldSource
from overwatch_assets_tests.laws.laws_test import assert_equal
from overwatch_assets_tests.laws.spark_world import DAYS, SparkWorld

DIVIDED = [module for module in MODULES if module.parts is not None]
READ = {"audit_log_bronze", *(name for each in DIVIDED for name in each.upstream)}
LOADED = [each for each in in_load_order() if each in DIVIDED or each.table.name in READ]
Records = Mapping[tuple[str, date], Record]


def loaded(source: WorldSource, part_rows: int) -> tuple[World, Records]:
    """Days of Spark events, loaded twice, in parts made from about so many rows."""
    world = World({"spark_event_logs": source}, modules=LOADED)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(parts_of_days, "PART_ROWS", part_rows)
        patched.setattr(bronze, "SHARD_ROWS", part_rows)
        first = world.load(*DAYS[:2])
        rest = world.load(*DAYS[2:])
        world.load(*DAYS)
    return world, {(each.table, each.day): each for each in (*first, *rest)}


def figures(record: Record) -> list[tuple[str, dict[str, float | int]]]:
    """What the rules compared; a day without rows may have compared nothing at all."""
    return [
        (check.rule, {name: figure for name, figure in check.figures.items() if figure})
        for check in record.checks
    ]


@pytest.mark.parametrize("seed", [1, 2])
def test_days_in_parts_are_those_worked_on_as_a_whole(seed: int) -> None:
    source = WorldSource(SparkWorld(seed).frame(), "eventTimeMS")
    whole, of_whole = loaded(source, part_rows=10**6)
    apart, of_parts = loaded(source, part_rows=9)
    assert_equal(whole, apart, LOADED)
    assert of_whole.keys() == of_parts.keys()
    for cell, expected in of_whole.items():
        record = of_parts[cell]
        assert (record.rows, record.open_rows, record.status) == (
            expected.rows,
            expected.open_rows,
            expected.status,
        )
        assert record.counted == expected.counted
        assert [replace(each, version=0) for each in record.reads] == [
            replace(each, version=0) for each in expected.reads
        ]
        assert figures(record) == figures(expected)
        assert all(check.holds for check in record.checks)
    for module in DIVIDED:
        of_table = [each for (name, _), each in of_parts.items() if name == module.table.name]
        assert any("parts" in each.details for each in of_table)
    assert not any("parts" in each.details for each in of_whole.values())


def test_a_reload_in_parts_finds_nothing_changed() -> None:
    source = WorldSource(SparkWorld(7).frame(), "eventTimeMS")
    world, first = loaded(source, part_rows=9)
    for (table, day), record in first.items():
        if table in {module.table.name for module in DIVIDED}:
            again = world.ledger.latest(table, world.workspace.organization_id, [day])[day]
            assert again.rows_version == record.rows_version
            assert (again.details["inserts"], again.details["deletes"]) == (0, 0)


def test_each_row_is_in_one_part_with_all_of_its_value(tmp_path: Path) -> None:
    rows = pl.DataFrame({"id": [1, 2, None, 1, 3, 2], "n": [*range(6)]})
    parts = Parts(inputs={"events": pl.col("id")}, rows=pl.col("id"))
    of_day = divided(parts, {"events": rows.lazy()}, 5, tmp_path)
    frames = [of_day.inputs(number)["events"].collect() for number in range(5)]
    assert_frame_equal(pl.concat(frames), rows, check_row_order=False)
    assert sum(frame["id"].n_unique() for frame in frames) == 4
    own = [of_day.rows(rows.lazy(), number).collect() for number in range(5)]
    for frame, of_part in zip(frames, own, strict=True):
        assert_frame_equal(frame, of_part, check_row_order=False)
