from dataclasses import replace
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from dagster_deltalake.config import LocalConfig

from overwatch_assets.delta.storage import StorageLocation
from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets.module import ORGANIZATION_ID, Column
from overwatch_assets.presentation.reading import Reach, derived_rows, view_rows
from overwatch_assets.presentation.sql import SqlViews
from overwatch_assets.view import DerivedView, View
from overwatch_assets_tests.execution.toy import MONDAY, TUESDAY, WEDNESDAY, instance_runs_gold

TABLE = instance_runs_gold.table
VIEW = View(
    name="instanceRun",
    table=TABLE.name,
    columns=("organization_id", "instance_id", "hours"),
    doc="One row per run of an instance.",
)


def _still_running(instance_runs_gold: pl.LazyFrame) -> pl.LazyFrame:
    still = pl.col("is_open").sum().cast(pl.Int64)
    return instance_runs_gold.group_by("organization_id").agg(still.alias("running"))


DERIVED = DerivedView(
    name="stillRunning",
    columns=(ORGANIZATION_ID, Column("running", pl.Int64, "Instances that run.")),
    rows=_still_running,
    doc="One row per workspace.",
)
EAST, WEST = "o'east/1", "2"

Rows = list[tuple[str, bool]]


@pytest.fixture
def store(tmp_path: Path) -> DeltaStore:
    store = DeltaStore(StorageLocation(str(tmp_path), LocalConfig()))
    store.create(TABLE)
    put(store, EAST, MONDAY, [("i-1", True), ("i-2", True)])
    put(store, EAST, TUESDAY, [("i-1", False), ("i-2", True)])
    put(store, WEST, MONDAY, [("i-9", True)])
    return store


def put(store: DeltaStore, org: str, day: date, rows: Rows) -> None:
    partition = ("organization_id", "partition_date")
    schema = {name: dtype for name, dtype in TABLE.schema.items() if name not in partition}
    frame = pl.DataFrame(
        [{"instance_id": name, "is_open": is_open} for name, is_open in rows], schema=schema
    )
    staged = store.stage(TABLE, org, day, frame)
    store.replace(TABLE, org, [day], staged, {"overwatch.run_id": "r"})


def shown(store: DeltaStore, reach: Reach) -> list[tuple[object, ...]]:
    rows = view_rows(store, VIEW, TABLE, reach).collect().sort(pl.all())
    by_sql = SqlViews(store, {TABLE.name: TABLE}, [VIEW], reach).query("from instanceRun")
    assert by_sql.sort(pl.all()).rows() == rows.rows()
    return rows.select("organization_id", "instance_id", "is_open", "partition_date").rows()


def test_a_view_shows_closed_rows_and_each_workspaces_newest_open_rows(store: DeltaStore) -> None:
    assert shown(store, Reach()) == [
        (WEST, "i-9", True, MONDAY),
        (EAST, "i-1", False, TUESDAY),
        (EAST, "i-2", True, TUESDAY),
    ]


def test_a_view_as_of_a_day_is_what_it_showed_then(store: DeltaStore) -> None:
    put(store, EAST, WEDNESDAY, [("i-2", False)])
    assert shown(store, Reach(as_of=MONDAY)) == [
        (WEST, "i-9", True, MONDAY),
        (EAST, "i-1", True, MONDAY),
        (EAST, "i-2", True, MONDAY),
    ]
    assert shown(store, Reach(as_of=TUESDAY)) == [
        (EAST, "i-1", False, TUESDAY),
        (EAST, "i-2", True, TUESDAY),
    ]


def test_a_day_that_became_empty_leaves_nothing_open(store: DeltaStore) -> None:
    put(store, EAST, WEDNESDAY, [("i-2", False)])
    assert (EAST, "i-2", True, TUESDAY) not in shown(store, Reach())


def test_a_view_keeps_to_the_workspaces_allowed(store: DeltaStore) -> None:
    assert {row[0] for row in shown(store, Reach(workspaces=[WEST]))} == {WEST}
    assert shown(store, Reach(workspaces=[])) == []


def test_what_was_open_in_a_retired_workspace_is_not_shown(store: DeltaStore) -> None:
    assert shown(store, Reach(retired={WEST: MONDAY})) == [
        (EAST, "i-1", False, TUESDAY),
        (EAST, "i-2", True, TUESDAY),
    ]


def test_a_table_that_was_never_written_has_an_empty_view(tmp_path: Path) -> None:
    store = DeltaStore(StorageLocation(str(tmp_path), LocalConfig()))
    assert shown(store, Reach()) == []


def test_sql_reaches_the_tables_below_the_views(store: DeltaStore) -> None:
    views = SqlViews(store, {TABLE.name: TABLE}, [VIEW])
    made = views.query("select count(*) as rows from etl.instance_runs_gold where is_open")
    assert made.rows() == [(4,)]
    assert "instanceRun" in views.query("show tables")["name"].to_list()


def test_a_derived_view_is_computed_from_what_a_view_of_its_tables_shows(store: DeltaStore) -> None:
    tables = {TABLE.name: TABLE}
    rows = derived_rows(store, DERIVED, tables, Reach()).collect()
    assert sorted(rows.rows()) == [(WEST, 1), (EAST, 1)]
    before = derived_rows(store, DERIVED, tables, Reach(as_of=MONDAY)).collect()
    assert sorted(before.rows()) == [(WEST, 1), (EAST, 2)]


def test_a_derived_view_that_divides_days_is_told_the_time_zone(store: DeltaStore) -> None:
    def zoned(instance_runs_gold: pl.LazyFrame, *, zone: str) -> pl.LazyFrame:
        return instance_runs_gold.select(pl.lit(zone).alias("zone")).unique()

    columns = (Column("zone", pl.String, "Zone."),)
    view = DerivedView(name="zoned", columns=columns, rows=zoned, doc="One row.")
    reach = Reach(timezone=ZoneInfo("Asia/Kathmandu"))
    tables = {TABLE.name: TABLE}
    assert derived_rows(store, view, tables, reach).collect().rows() == [("Asia/Kathmandu",)]
    told = SqlViews(store, tables, [], reach, derived=[view]).query("from zoned")
    assert told.rows() == [("Asia/Kathmandu",)]


def test_sql_reaches_derived_views_beside_the_others(store: DeltaStore) -> None:
    views = SqlViews(store, {TABLE.name: TABLE}, [VIEW], derived=[DERIVED])
    joined = "select running, count(*) from stillRunning join instanceRun using (organization_id)"
    assert sorted(views.query(f"{joined} group by all").rows()) == [(1, 3)]
    assert {"instanceRun", "stillRunning"} <= set(views.query("show tables")["name"])


def test_a_view_may_have_a_name_that_is_a_word_of_sql(store: DeltaStore) -> None:
    views = SqlViews(store, {TABLE.name: TABLE}, [replace(VIEW, name="cluster")])
    for named in ("cluster", '"CLUSTER"', "cluster as c"):
        assert views.query(f"from {named}").height == 3


def test_a_statement_may_join_by_the_names_of_columns(store: DeltaStore) -> None:
    views = SqlViews(store, {TABLE.name: TABLE}, [VIEW, replace(VIEW, name="cluster")])
    assert views.query("from instanceRun join cluster using (instance_id)").height == 3
    assert views.query(f"from instanceRun join etl.{TABLE.name} using (instance_id)").height == 5
