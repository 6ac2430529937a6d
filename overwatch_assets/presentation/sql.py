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
from overwatch_assets.module import IS_OPEN, ORGANIZATION_ID, PARTITION_DATE, Grain, Table
from overwatch_assets.presentation.calendar_days import per_day_sql
from overwatch_assets.presentation.reading import (
    Reach,
    days_of,
    derived_rows,
    open_days,
    rows_of,
    shown_columns,
)
from overwatch_assets.view import DerivedView, View

ETL = "etl"
_ALL = "true"
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
            views = [each for each in self.views if _is_named(each.name, names)]
            derived = [each for each in self.derived if _is_named(each.name, names)]
            tables = [each for each in self.tables.values() if f"{ETL}.{each.name}" in names]
            for each in derived:
                rows = derived_rows(self.store, each, self.tables, self.reach)
                connection.register(each.name, (rows if names else rows.clear()).collect())
            for view in views:
                table = self.tables[view.table]
                query = self._query(connection, view, table)
                connection.execute(f"create view {_quoted(view.name)} as {query}")
            for table in tables:
                source = self._source(connection, table, _ALL)
                name = f"{ETL}.{_quoted(table.name)}"
                connection.execute(f"create view {name} as select * {source}")
            return connection.sql(sql).pl()

    def _query(self, connection: duckdb.DuckDBPyConnection, view: View, table: Table) -> str:
        columns = shown_columns(view, table)
        source = self._source(connection, table, self._condition(table))
        if view.per_day is None:
            return f"select {', '.join(map(_quoted, columns))} {source}"
        days = f"days of {view.name}"
        connection.register(days, days_of(self.store, table, self.reach))
        return per_day_sql(view.per_day, columns, f"select * {source}", days)

    def _condition(self, table: Table) -> str:
        """The rows a view shows, as `reading.rows_of` chooses them."""
        conditions: list[str] = []
        org, day = ORGANIZATION_ID.name, PARTITION_DATE.name
        if self.reach.workspaces is not None:
            allowed = ", ".join(map(_text, self.reach.workspaces)) or "null"
            conditions.append(f"{org} in ({allowed})")
        if self.reach.as_of is not None:
            conditions.append(f"{day} <= date '{self.reach.as_of}'")
        if table.grain is Grain.VERSION:
            conditions.append(f"not {IS_OPEN.name}")
        if table.grain is Grain.INTERVAL:
            newest = [f"not {IS_OPEN.name}"]
            newest += [
                f"({org} = {_text(workspace)} and {day} = date '{open_day}')"
                for workspace, open_day in open_days(self.store, table, self.reach).items()
            ]
            conditions.append(f"({' or '.join(newest)})")
        return " and ".join(conditions) or "not false"

    def _source(self, connection: duckdb.DuckDBPyConnection, table: Table, condition: str) -> str:
        files = self.store.local_files(table)
        if files:
            paths = ", ".join(map(_text, files))
            types = f"{{'{ORGANIZATION_ID.name}': varchar, '{PARTITION_DATE.name}': date}}"
            options = f"hive_partitioning = true, hive_types = {types}, union_by_name = true"
            columns = ", ".join(map(_quoted, table.schema))
            read = f"select {columns} from read_parquet([{paths}], {options})"  # noqa: S608 - quoted
            return f"from ({read}) where {condition}"
        name = f"{'all' if condition == _ALL else 'shown'} {table.name}"
        rows = self.store.scan(table, missing_ok=True)
        if condition != _ALL:
            rows = rows_of(self.store, table, self.reach)
        connection.register(name, rows.collect())
        return f"from {_quoted(name)}"


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


def _is_named(view: str, names: Collection[str]) -> bool:
    """Whether a statement needs a view; one that names nothing may be about all."""
    return not names or view.lower() in names


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
