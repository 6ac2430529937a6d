"""SQL over the consumer views and the tables below them, in an embedded DuckDB.

Views have their presentation names, tables are in the schema `etl`. DuckDB reads the Parquet
files of the current Delta versions itself where they are local; rows in object storage come
through Polars, because DuckDB's own access to it needs a download.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import duckdb
import polars as pl

from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets.module import Table
from overwatch_assets.presentation.calendar_days import per_day_sql
from overwatch_assets.presentation.ddl import ETL, files_sql, of_workspaces, shown_condition
from overwatch_assets.presentation.reading import (
    ORG,
    Reach,
    days_of,
    derived_rows,
    rows_of,
    shown_columns,
)
from overwatch_assets.sql_dialect import DUCKDB
from overwatch_assets.view import DerivedView, View

_NAMES = re.compile(rf'(?:{ETL}\.)?"?\w+"?', re.IGNORECASE)


@dataclass(frozen=True)
class SqlViews:
    """Views and tables that SQL may name.

    Attributes:
        store: Where the tables are.
        tables: Tables by name.
        views: The consumer views over a table.
        derived: Those that are computed from several rows; they are computed when named.
        reach: Which rows are seen.
    """

    store: DeltaStore
    tables: Mapping[str, Table]
    views: Sequence[View]
    reach: Reach = field(default=Reach())
    derived: Sequence[DerivedView] = ()

    def query(self, sql: str) -> pl.DataFrame:
        """Run one statement.

        Raises:
            duckdb.Error: It can't be parsed or run.
        """
        with duckdb.connect(":memory:") as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute(f"create schema {ETL}")
            names = _names_in(connection, sql)
            views = [each for each in self.views if _is_named(_called(each), names)]
            derived = [each for each in self.derived if _is_named(each.name, names)]
            tables = [each for each in self.tables.values() if f"{ETL}.{each.name}" in names]
            for each in derived:
                rows = derived_rows(self.store, each, self.tables, self.reach)
                connection.register(each.name, (rows if names else rows.clear()).collect())
            for view in views:
                table = self.tables[view.table]
                query = self._query(connection, view, table)
                schema = f"{ETL}." if view.in_etl else ""
                connection.execute(f"create view {schema}{DUCKDB.quoted(view.name)} as {query}")
            for table in tables:
                source = self._source(connection, table, self._all)
                name = f"{ETL}.{DUCKDB.quoted(table.name)}"
                connection.execute(f"create view {name} as select * {source}")
            return connection.sql(sql).pl()

    def _query(self, connection: duckdb.DuckDBPyConnection, view: View, table: Table) -> str:
        columns = shown_columns(view, table)
        condition = shown_condition(self.store, table, self.reach, DUCKDB)
        source = self._source(connection, table, condition)
        if view.per_day is None:
            return f"select {DUCKDB.listed(columns)} {source}"
        days = f"days of {view.name}"
        connection.register(days, days_of(self.store, table, self.reach))
        whole = f"select * {source}"
        return per_day_sql(view.per_day, columns, whole, DUCKDB.quoted(days), DUCKDB)

    def _source(self, connection: duckdb.DuckDBPyConnection, table: Table, condition: str) -> str:
        files = self.store.local_files(table)
        if files:
            return f"from ({files_sql(table, files)}) where {condition}"
        name = f"{'all' if condition == self._all else 'shown'} {table.name}"
        rows = self.store.scan(table, missing_ok=True)
        if condition != self._all:
            rows = rows_of(self.store, table, self.reach)
        elif self.reach.workspaces is not None:
            rows = rows.filter(pl.col(ORG).is_in(list(self.reach.workspaces)))
        connection.register(name, rows.collect())
        return f"from {DUCKDB.quoted(name)}"

    @property
    def _all(self) -> str:
        """All rows of the workspaces that are seen."""
        return "true" if self.reach.workspaces is None else of_workspaces(self.reach, DUCKDB)


def _names_in(connection: duckdb.DuckDBPyConnection, sql: str) -> set[str]:
    """What a statement may name, in lower case; a statement like `show tables` names nothing.

    DuckDB tells names with quotes where they are words of its own, such as `cluster`, with their
    aliases, and not at all where columns join tables by `using`: then every word of the statement
    may be one.
    """
    try:
        named = " ".join(connection.get_table_names(sql, qualified=True))
    except duckdb.BinderException:
        named = sql
    return {name.replace('"', "").lower() for name in _NAMES.findall(named)}


def _called(view: View) -> str:
    return f"{ETL}.{view.name}" if view.in_etl else view.name


def _is_named(view: str, names: Collection[str]) -> bool:
    """Whether a statement needs a view; one that names nothing may be about all."""
    return not names or view.lower() in names
