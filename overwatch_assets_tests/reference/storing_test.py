from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from overwatch_assets.config import Config
from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets.presentation.sql import SqlViews
from overwatch_assets.reference.prices import read_price_files, reference_of
from overwatch_assets.reference.sheet import Sheet, unusable
from overwatch_assets.reference.storing import Refreshed, refresh
from overwatch_assets.reference.tables import (
    DBU_COST_DETAILS,
    INSTANCE_DETAILS,
    REFERENCE_TABLES,
    WAREHOUSE_DBU_DETAILS,
)
from overwatch_assets.registry import TABLES, VIEWS
from overwatch_assets_tests.configuration.loading import MINIMAL, loaded
from overwatch_assets_tests.delta.lake import local_store
from overwatch_assets_tests.frames import utc

FIRST, SECOND = utc("2026-10-01 06:00"), utc("2026-10-02 06:00")
EAST, WEST = "1234567890123456", "2"


def two_workspaces(*lines_of_east: str) -> Config:
    """Two workspaces, the first with further lines of YAML."""
    east = "".join(f"    {line}\n" for line in lines_of_east)
    west = (
        "  - workspace_id: '2'\n    workspace_name: west\n    cloud: azure\n"
        "    primordial_date: 2026-09-21\n    interactive_dbu_price: 0.4\n"
    )
    return loaded(MINIMAL + east + west)


def no_file(path: str) -> Sheet:
    return unusable(path, "there is no such file", "Write its path")


@pytest.fixture
def store(tmp_path: Path) -> DeltaStore:
    return local_store(tmp_path)


def refreshed(
    store: DeltaStore, config: Config, org: str, snapshot: datetime = FIRST
) -> tuple[Refreshed, ...]:
    workspace = config.workspace(org)
    reference = reference_of(workspace, read_price_files(workspace, no_file))
    return refresh(store, workspace, reference, f"run of {snapshot.date()}", snapshot)


def prices(store: DeltaStore, org: str) -> list[tuple[object, ...]]:
    columns = ("contract_price", "activeFrom", "isActive", "Overwatch_RunID", "workspace_name")
    rows = store.scan(DBU_COST_DETAILS, org).filter(sku="interactive").sort("activeFrom")
    return rows.select(columns).with_columns(pl.col("activeFrom").cast(pl.String)).collect().rows()


def test_a_workspaces_figures_are_stored_with_the_run_that_wrote_them(store: DeltaStore) -> None:
    config = two_workspaces()
    written = refreshed(store, config, EAST)
    assert [(each.table, each.rows, each.is_changed) for each in written] == [
        (INSTANCE_DETAILS.name, 85, True),
        (DBU_COST_DETAILS.name, 4, True),
        (WAREHOUSE_DBU_DETAILS.name, 9, True),
    ]
    assert prices(store, EAST) == [(0.55, "2012-01-01", True, "run of 2026-10-01", "analytics")]
    [newest, *_] = store.history(DBU_COST_DETAILS)
    assert newest.metadata["overwatch.workspace"] == EAST
    assert int(newest.metadata["overwatch.reference_version"]) > 0


def test_a_price_change_of_one_workspace_leaves_the_others_untouched(store: DeltaStore) -> None:
    before = two_workspaces()
    refreshed(store, before, EAST)
    refreshed(store, before, WEST)
    of_west = store.scan(DBU_COST_DETAILS, WEST).collect()
    changed = two_workspaces("interactive_dbu_price: {price: 0.5, valid_from: 2026-10-02}")
    refreshed(store, changed, EAST, SECOND)
    assert prices(store, EAST) == [
        (0.55, "2012-01-01", False, "run of 2026-10-02", "analytics"),
        (0.5, "2026-10-02", True, "run of 2026-10-02", "analytics"),
    ]
    assert store.scan(DBU_COST_DETAILS, WEST).collect().equals(of_west)


def test_a_price_change_is_written_although_the_warehouses_have_none_yet(store: DeltaStore) -> None:
    refreshed(store, two_workspaces(), EAST)
    store.replace(WAREHOUSE_DBU_DETAILS, EAST, None, (), {})
    changed = refreshed(store, two_workspaces("interactive_dbu_price: 0.5"), EAST, SECOND)
    assert [each.is_changed for each in changed] == [False, True, True]


def test_figures_that_are_stored_already_are_not_written_again(store: DeltaStore) -> None:
    refreshed(store, two_workspaces(), EAST)
    versions = [store.version(table) for table in REFERENCE_TABLES]
    again = refreshed(store, two_workspaces(), EAST, SECOND)
    assert [(each.is_changed, each.delta_version) for each in again] == [
        (False, version) for version in versions
    ]
    assert [store.version(table) for table in REFERENCE_TABLES] == versions


def test_a_day_that_no_row_begins_on_any_more_is_gone(store: DeltaStore) -> None:
    dated = two_workspaces("interactive_dbu_price: {price: 0.5, valid_from: 2026-10-02}")
    refreshed(store, dated, EAST)
    refreshed(store, two_workspaces(), EAST, SECOND)
    assert prices(store, EAST) == [(0.55, "2012-01-01", True, "run of 2026-10-02", "analytics")]
    assert store.partitions(DBU_COST_DETAILS, EAST).height == 1


def test_sql_names_the_tables_as_overwatch_does(store: DeltaStore) -> None:
    views = SqlViews(store, {table.name: table for table in TABLES}, VIEWS)
    assert views.query("from dbuCostDetails").is_empty()
    refreshed(store, two_workspaces(), EAST)
    refreshed(store, two_workspaces(), WEST)
    counted = "select count(*) n, count(distinct organization_id) w from "
    for table, view in zip(
        REFERENCE_TABLES, ("instanceDetails", "dbuCostDetails", "warehouseDbuDetails"), strict=True
    ):
        rows = store.scan(table).select(pl.len()).collect().item()
        assert views.query(counted + view).rows() == [(rows, 2)]
        assert views.query(f"{counted} etl.{table.name}").rows() == [(rows, 2)]
    price = "select contract_price from dbuCostDetails where sku = 'interactive' and "
    assert views.query(f"{price} workspace_name = 'west' and isActive").rows() == [(0.4,)]
