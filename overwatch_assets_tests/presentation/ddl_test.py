from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import duckdb
import polars as pl
import pytest
import sqlglot
from dagster_deltalake.config import LocalConfig
from sqlglot.expressions import Table

from overwatch_assets.delta.storage import StorageLocation
from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets.presentation.ddl import Ddl
from overwatch_assets.presentation.reading import Reach, derived_rows, view_rows
from overwatch_assets.registry import DERIVED_VIEWS, TABLES, VIEWS
from overwatch_assets.sql_dialect import DATABRICKS, DUCKDB, Dialect
from overwatch_assets.view import DerivedView, View
from overwatch_assets_tests.frames import Row, table
from overwatch_assets_tests.gold.cost_frames import DAY_S
from overwatch_assets_tests.presentation.cost_views_test import asked, priced, tables
from overwatch_assets_tests.presentation.engines import assert_same_rows
from overwatch_assets_tests.presentation.query_cost_views_test import query
from overwatch_assets_tests.presentation.query_cost_views_test import state as warehouse_state

BY_NAME = {each.name: each for each in TABLES}
WRITTEN = (*VIEWS, *(view for view in DERIVED_VIEWS if view.sql))
"""Views that SQL can make."""
MONDAY, TUESDAY = date(2024, 5, 6), date(2024, 5, 7)
EAST, WEST = "o'east/1", "2"
BERLIN = ZoneInfo("Europe/Berlin")

TAGGED = {"custom_tags": '{"team":"o\'ps","depth":{"a":1}}', "cluster_name": "etl"}
STATES: list[Row] = [
    priced(0, DAY_S, 24.0, **TAGGED),
    priced(DAY_S, DAY_S + 14400, None, cost_reason="no price", cluster_name="etl"),
    priced(DAY_S + 14400, DAY_S + 50000, 3.0, is_open=True),
]
RUNS = [
    asked(1, 0, DAY_S + 3600, "ann", terminal_state="Failed", job_id=1),
    asked(2, DAY_S, DAY_S + 7200, "bob", terminal_state="Succeeded", job_id=2),
    asked(3, DAY_S + 20000, None, "bob"),
]
SPARK_JOB = {"job_id": 0, "db_job_id": "10", "db_id_in_job": "501", "user_email": "ann"}
RUN = {"job_id": 10, "run_id": 501, "job_run_id": 500, "is_open": False}
SPEC = {"cluster_id": "c", "action": "create", "custom_tags": '{"a":"b"}'}
WAREHOUSE_STATES = [
    warehouse_state(8, 20, 12.0),
    warehouse_state(20, 26, 6.0, state="STARTING"),
    warehouse_state(26, 30, None, is_open=True),
]
BEGUN = warehouse_state(20, 24, 4.0, state="STARTING", is_open=True)
QUERIES = [query(1, 9, 10), query(2, 9.5, 25, "bob"), query(3, 26, 26.5), query(4, None, None)]
TOKEN = {"token_id": "t", "comment": "for ci", "captured_at_ms": 5}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> DeltaStore:
    store = DeltaStore(StorageLocation(str(tmp_path_factory.mktemp("lake")), LocalConfig()))
    facts = tables(RUNS, STATES)["jobruncostpotentialfact_gold"].collect()
    for org in (EAST, WEST):
        put(store, "clusterstatefact_gold", org, MONDAY, [{**STATES[0], "is_open": True}])
        put(store, "clusterstatefact_gold", org, TUESDAY, STATES)
        put(store, "jobruncostpotentialfact_gold", org, TUESDAY, facts)
        put(store, "sparkjob_gold", org, TUESDAY, [SPARK_JOB])
        put(store, "jobrun_gold", org, TUESDAY, [RUN])
        put(store, "cluster_gold", org, TUESDAY, [SPEC])
        put(store, "warehousestatefact_gold", org, MONDAY, [BEGUN])
        put(store, "warehousestatefact_gold", org, TUESDAY, WAREHOUSE_STATES)
        put(store, "sql_query_history_gold", org, TUESDAY, QUERIES)
        put(store, "tokens_snapshot_bronze", org, TUESDAY, [TOKEN])
    put(store, "clusterstatefact_gold", WEST, TUESDAY, [{**STATES[0], "is_open": True}])
    return store


def put(store: DeltaStore, name: str, org: str, day: date, rows: list[Row] | pl.DataFrame) -> None:
    made = table(name, *rows).collect() if isinstance(rows, list) else rows
    of_table = BY_NAME[name]
    store.create(of_table)
    lacking = {n: pl.lit(None, t) for n, t in of_table.schema.items() if n not in made.columns}
    named = made.with_columns(**lacking).with_columns(workspace_name=pl.lit(f"name of {org}"))
    staged = store.stage(of_table, org, day, named.drop("organization_id", "partition_date"))
    store.replace(of_table, org, [day], staged, {"overwatch.run_id": "r"})


def ddl(store: DeltaStore, reach: Reach = Reach(), main: tuple[str, ...] = ()) -> Ddl:  # noqa: B008 - frozen
    return Ddl(
        store=store,
        tables=BY_NAME,
        views=VIEWS,
        derived=DERIVED_VIEWS,
        reach=reach,
        first_day=MONDAY,
        main=main,
        etl=("etl",),
    )


def created(made: Ddl) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:")
    connection.execute("set TimeZone = 'UTC'")
    for statement in made.statements(DUCKDB):
        connection.execute(statement)
    return connection


FILLED = {
    "cluster",
    "clusterIdleCostDaily",
    "clusterStateFact",
    "clusterStateFactDaily",
    "failedRunCostDaily",
    "jobRun",
    "jobRunCostDaily",
    "jobRunCostPotentialFact",
    "sparkJob",
    "sparkJobOwner",
    "sqlQueryCostDaily",
    "sqlQueryHistory",
    "sqlUserCostDaily",
    "tagCostDaily",
    "tokenSnapshot",
    "userCostDaily",
    "warehouseIdleCostDaily",
    "warehouseStateFact",
    "warehouseStateFactDaily",
}
UNTRANSLATED = {"tagCostDaily"}
"""Views that use functions for which sqlglot knows no counterpart in DuckDB."""

REACHES = {
    "all": Reach(),
    "one workspace": Reach(workspaces=[EAST]),
    "none": Reach(workspaces=[]),
    "a retired one": Reach(retired={WEST: TUESDAY}),
    "another zone": Reach(timezone=BERLIN),
}


@pytest.mark.parametrize("reach", REACHES.values(), ids=REACHES)
def test_duckdb_shows_the_rows_that_the_frames_show(store: DeltaStore, reach: Reach) -> None:
    heights: dict[str, int] = {}
    with created(ddl(store, reach)) as connection:
        for view in WRITTEN:
            schema = "etl." if isinstance(view, View) and view.in_etl else ""
            found = connection.sql(f'from {schema}"{view.name}"').pl()
            assert_same_rows(shown(store, view, reach), found)
            heights[view.name] = found.height
    filled = {name for name, height in heights.items() if height}
    assert filled == (set() if reach.workspaces == [] else FILLED)


def shown(store: DeltaStore, view: View | DerivedView, reach: Reach) -> pl.DataFrame:
    if isinstance(view, View):
        return view_rows(store, view, BY_NAME[view.table], reach).collect()
    return derived_rows(store, view, BY_NAME, reach).collect()


def test_duckdb_reads_no_file_of_a_workspace_that_is_not_shown(store: DeltaStore) -> None:
    statements = list(ddl(store, Reach(workspaces=[EAST])).statements(DUCKDB))
    assert not [each for each in statements if "organization_id=2" in each]
    with created(ddl(store, Reach(workspaces=[EAST]))) as connection:
        found = connection.sql("select distinct organization_id from etl.clusterstatefact_gold")
        assert found.fetchall() == [(EAST,)]


def test_views_and_columns_say_what_they_are(store: DeltaStore) -> None:
    with created(ddl(store)) as connection:
        said = connection.sql("select comment from duckdb_views() where view_name = 'cluster'")
        assert said.fetchall() == [(next(v.doc for v in VIEWS if v.name == "cluster"),)]
        column = connection.sql(
            "select comment from duckdb_columns() where table_name = 'userCostDaily' "
            "and column_name = 'spent_on'"
        ).fetchall()
        assert "what the user's runs bear" in column[0][0]


@pytest.mark.parametrize("dialect", [DUCKDB, DATABRICKS], ids=lambda each: each.name)
def test_a_parser_of_the_dialect_accepts_every_statement(
    store: DeltaStore, dialect: Dialect
) -> None:
    reach = Reach(workspaces=[EAST, WEST], retired={WEST: TUESDAY}, timezone=BERLIN)
    made = ddl(store, reach, ("main", "overwatch"))
    for statement in made.statements(dialect):
        if not statement.startswith("-- "):
            sqlglot.parse_one(statement, read=dialect.name, error_level=sqlglot.ErrorLevel.RAISE)


def databricks(store: DeltaStore, reach: Reach = Reach()) -> Iterator[str]:  # noqa: B008 - frozen
    return replace(ddl(store, reach), main=("main", "ow"), etl=("main", "e")).statements(DATABRICKS)


@pytest.mark.parametrize("dialect", [DUCKDB, DATABRICKS], ids=lambda each: each.name)
def test_what_is_left_out_is_told(store: DeltaStore, dialect: Dialect) -> None:
    statements = "\n".join(ddl(store).statements(dialect))
    for view in DERIVED_VIEWS:
        if view.sql is None:
            assert f"-- {view.name} is not in SQL" in statements


def test_databricks_reads_the_same_storage(store: DeltaStore) -> None:
    statements = list(databricks(store))
    assert statements[:2] == [
        "create schema if not exists `main`.`ow`",
        "create schema if not exists `main`.`e`",
    ]
    location = f"{store.location.root}/cluster_gold"
    assert (
        f"create table if not exists `main`.`e`.`cluster_gold` using delta location '{location}'"
        in statements
    )
    missing = "-- sparktask_gold was never loaded: it and its views are left out"
    assert missing in statements
    assert not [each for each in statements if "view `main`.`ow`.`sparkTask`" in each]


def test_a_text_of_databricks_ends_where_it_ends() -> None:
    told = r"it's a \ and a \' too"
    [literal] = sqlglot.parse_one(f"select {DATABRICKS.text(told)}", read="databricks").expressions
    assert literal.this == told
    assert DUCKDB.text(told) == r"'it''s a \ and a \'' too'"


@pytest.mark.parametrize("reach", REACHES.values(), ids=REACHES)
def test_databricks_views_show_the_rows_that_the_frames_show(
    store: DeltaStore, reach: Reach
) -> None:
    """Run by DuckDB over the same tables, in the SQL that sqlglot makes of Databricks'."""
    with created(replace(ddl(store), views=(), derived=())) as connection:
        for name, query in queries(ddl(store, reach).statements(DATABRICKS)):
            if name not in UNTRANSLATED:
                schema = "etl." if name == "calendar" else ""
                connection.execute(f'create or replace view {schema}"{name}" as {query}')
        for view in WRITTEN:
            if view.name in FILLED - UNTRANSLATED:
                found = connection.sql(f'from "{view.name}"').pl()
                assert_same_rows(shown(store, view, reach), found)


def queries(statements: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Views by name, in DuckDB's SQL."""
    for statement in statements:
        if not statement.startswith("create or replace view"):
            continue
        made = sqlglot.parse_one(statement, read="databricks")
        name = made.find(Table)
        assert name is not None
        yield name.name, made.expression.sql("duckdb")
