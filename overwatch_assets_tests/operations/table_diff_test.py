from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets import cli
from overwatch_assets.config import Config, config_of
from overwatch_assets.configuration.document import parse_document
from overwatch_assets.errors import ConfigError, StorageError
from overwatch_assets.operations.table_diff import TableDiff, diff, diff_day
from overwatch_assets.registry import TABLES
from overwatch_assets.resources import Deployment
from overwatch_assets.views import BY_NAME
from overwatch_assets_tests.frames import Row, table

FACTS = BY_NAME["clusterstatefact_gold"]
DAY = date(2026, 11, 1)
TEXT = """
storage: {root: tables}
workspaces:
  - {workspace_id: "1", workspace_name: east, cloud: aws, primordial_date: 2026-11-01}
"""


def state(start: int, cost: float | None, **more: object) -> Row:
    return {
        "organization_id": "1",
        "cluster_id": "c",
        "state": "RUNNING",
        "seq": 0,
        "unixTimeMS_state_start": start,
        "is_open": False,
        "total_cost": cost,
        **more,
    }


def compared(before: list[Row], after: list[Row]) -> TableDiff:
    return diff(FACTS, facts(*before), facts(*after))


def facts(*rows: Row) -> pl.DataFrame:
    return table("clusterstatefact_gold", *rows).collect()


def money(found: TableDiff, column: str = "total_cost") -> dict[str, Any]:
    [row] = found.money.filter(column=column).drop("column").to_dicts()
    return row


def test_rows_are_added_removed_and_changed_by_their_key() -> None:
    found = compared(
        [state(1, 1.0), state(2, 2.0), state(3, 3.0)],
        [state(2, 2.0), state(3, 3.5, sku="automated"), state(4, 4.0)],
    )
    assert found.counts == {"added": 1, "removed": 1, "changed": 1, "equal": 1}
    shown = found.rows.select(
        "change", "unixTimeMS_state_start", "columns", "cost_before", "cost_after", "moved_usd"
    )
    assert shown.rows() == [
        ("added", 4, None, None, 4.0, 4.0),
        ("changed", 3, "sku, total_cost", 3.0, 3.5, 0.5),
        ("removed", 1, None, 1.0, None, -1.0),
    ]
    assert money(found) == {
        "before": 6.0,
        "after": 9.5,
        "added": 4.0,
        "removed": -1.0,
        "changed": 0.5,
        "moved": 3.5,
    }


def test_columns_of_the_run_are_no_difference() -> None:
    written = {"Overwatch_RunID": "a", "Pipeline_SnapTS": datetime(2026, 1, 1, tzinfo=UTC)}
    found = compared([state(1, 1.0, **written)], [state(1, 1.0, Overwatch_RunID="b")])
    assert found.counts["equal"] == 1


def test_a_cost_that_became_unknown_is_a_difference_and_moves_what_was_known() -> None:
    found = compared([state(1, 2.0)], [state(1, None, cost_reason="no price")])
    assert found.rows["columns"].to_list() == ["total_cost, cost_reason"]
    assert money(found)["moved"] == -2.0


def test_nested_columns_are_compared_as_wholes() -> None:
    specs = {"driverSpecs": {"API_Name": "m5", "vCPUs": 4}, "state_dates": [DAY]}
    other = {"driverSpecs": {"API_Name": "m5", "vCPUs": 8}, "state_dates": [DAY]}
    assert compared([state(1, 1.0, **specs)], [state(1, 1.0, **specs)]).counts["equal"] == 1
    found = compared([state(1, 1.0, **specs)], [state(1, 1.0, **other)])
    assert found.rows["columns"].to_list() == ["driverSpecs"]


@pytest.mark.parametrize("of", [each for each in TABLES if each.keys], ids=lambda each: each.name)
def test_every_table_can_be_compared(of: Any) -> None:
    one = pl.DataFrame([dict.fromkeys(of.schema)], schema=of.schema)
    none = one.clear()
    assert diff(of, one, one).counts["equal"] == 1
    assert diff(of, none, one).counts["added"] == 1
    assert diff(of, one, none).counts["removed"] == 1
    assert diff(of, none, none).counts["equal"] == 0


def test_maps_are_compared() -> None:
    pools = BY_NAME["pools_silver"]
    tags = [
        pl.DataFrame(
            [{**dict.fromkeys(pools.schema), "custom_tags": {"team": team}}], schema=pools.schema
        )
        for team in ("ops", "web")
    ]
    assert diff(pools, tags[0], tags[0]).counts["equal"] == 1
    assert diff(pools, *tags).rows["columns"].to_list() == ["custom_tags"]


def test_a_key_that_is_there_twice_cannot_be_compared() -> None:
    with pytest.raises(StorageError, match="holds a key twice"):
        compared([state(1, 1.0), state(1, 2.0)], [])


COSTS = st.dictionaries(st.integers(0, 6), st.one_of(st.none(), st.integers(0, 9)), max_size=5)


@given(COSTS, COSTS)
def test_what_moved_is_what_the_sums_differ_by(
    before: dict[int, int | None], after: dict[int, int | None]
) -> None:
    found = compared(
        [state(key, cost and float(cost)) for key, cost in before.items()],
        [state(key, cost and float(cost)) for key, cost in after.items()],
    )
    told = money(found)
    sums = [sum(cost or 0 for cost in each.values()) for each in (before, after)]
    assert [told["before"], told["after"]] == sums
    assert told["moved"] == sums[1] - sums[0] == told["added"] + told["removed"] + told["changed"]
    assert sum(found.counts.values()) == len(before.keys() | after.keys())


@pytest.fixture
def loaded(tmp_path: Path) -> Config:
    path = tmp_path / "overwatch.yaml"
    path.write_text(TEXT)
    config = config_of(
        parse_document(path, path.read_bytes()), now=datetime(2026, 11, 2, tzinfo=UTC)
    )
    store = Deployment(config=config, modules={}).store
    store.create(FACTS)
    for cost in (1.0, 2.5):
        rows = facts(state(1, cost)).drop("organization_id", "partition_date")
        staged = store.stage(FACTS, "1", DAY, rows)
        store.replace(FACTS, "1", [DAY], staged, {"overwatch.run_id": "r"})
    return config


def test_versions_of_a_day_are_compared(loaded: Config) -> None:
    assert money(diff_day(loaded, FACTS.name, DAY, 1))["moved"] == 1.5
    assert diff_day(loaded, FACTS.name, DAY, 0, 1).counts["added"] == 1
    assert diff_day(loaded, FACTS.name, DAY, 2).counts["equal"] == 1
    assert diff_day(loaded, FACTS.name, date(2026, 11, 2), 1).counts["equal"] == 0


def test_the_command_prints_what_moved(loaded: Config) -> None:
    arguments = ["diff", FACTS.name, "--config", str(loaded.path), "--day", "2026-11-01"]
    printed = CliRunner().invoke(cli.cli, [*arguments, "--from", "1"])
    assert printed.output.startswith("0 added, 0 removed, 1 changed, 0 equal\n")
    assert "| total_cost " in printed.output
    as_json = CliRunner().invoke(cli.cli, [*arguments, "--from", "1", "--to", "1", "--json"])
    assert '"equal": 1' in as_json.output


def test_what_is_not_there_is_told(loaded: Config) -> None:
    with pytest.raises(StorageError, match="clusterstatefact_gold"):
        diff_day(loaded, FACTS.name, DAY, 9)
    with pytest.raises(ConfigError, match="there is no table 'nothing'"):
        diff_day(loaded, "nothing", DAY, 0)
    for file in loaded.path.parent.glob("tables/clusterstatefact_gold/**/*.parquet"):
        file.unlink()
    with pytest.raises(ConfigError, match="may have been cleared away"):
        diff_day(loaded, FACTS.name, DAY, 1)
