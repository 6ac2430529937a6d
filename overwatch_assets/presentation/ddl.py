"""The consumer views as statements that create them elsewhere: in DuckDB, in Databricks.

They are made of the same declarations as what `reading.py` shows. DuckDB reads the data files
of the current version of each table, so its statements hold until the tables are loaded again.
Databricks reads the Delta tables themselves, and always shows what they hold.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets.module import IS_OPEN, Column, Grain, Table
from overwatch_assets.presentation.calendar_days import calendar_sql, per_day_sql
from overwatch_assets.presentation.reading import DAY, ORG, Reach, open_days, shown_columns
from overwatch_assets.sql_dialect import DUCKDB, Dialect, Duckdb
from overwatch_assets.view import DAY_COLUMNS, DerivedView, View

ETL = "etl"
CALENDAR = "calendar"
FORESEEN = timedelta(days=366 * 20)
"""How far ahead Databricks' calendar knows when days begin."""


def columns_of(view: View, table: Table) -> tuple[Column, ...]:
    """What a view of a table shows, in order."""
    stored = {each.name: each for each in table.stored_columns}
    days = DAY_COLUMNS if view.per_day else ()
    return (*(stored[name] for name in shown_columns(view, table)), *days)


def shown_condition(store: DeltaStore, table: Table, reach: Reach, dialect: Dialect) -> str:
    """The rows a view shows now, as `reading.rows_of` chooses them."""
    conditions = [of_workspaces(reach, dialect)] if reach.workspaces is not None else []
    if reach.as_of is not None:
        conditions.append(f"{DAY} <= date '{reach.as_of}'")
    if table.grain is Grain.VERSION:
        conditions.append(f"not {IS_OPEN.name}")
    if table.grain is Grain.INTERVAL:
        shown = [f"not {IS_OPEN.name}"]
        shown += [
            f"({ORG} = {dialect.text(workspace)} and {DAY} = date '{open_day}')"
            for workspace, open_day in open_days(store, table, reach).items()
        ]
        conditions.append(f"({' or '.join(shown)})")
    return " and ".join(conditions) or "not false"


def files_sql(table: Table, files: Sequence[str]) -> str:
    """A DuckDB query of a table's stored columns from its data files; there is one at least."""
    paths = ", ".join(map(DUCKDB.text, files))
    types = f"{{'{ORG}': varchar, '{DAY}': date}}"
    options = f"hive_partitioning = true, hive_types = {types}, union_by_name = true"
    return f"select {DUCKDB.listed(list(table.schema))} from read_parquet([{paths}], {options})"  # noqa: S608 - quoted


def of_workspaces(reach: Reach, dialect: Dialect) -> str:
    """Whether a row is of a workspace that is seen; where all are, it is not asked."""
    allowed = ", ".join(map(dialect.text, reach.workspaces or ())) or "null"
    return f"{ORG} in ({allowed})"


@dataclass(frozen=True)
class Ddl:
    """The statements that create views and what they read.

    Attributes:
        store: Where the tables are.
        tables: Tables by name.
        views: Views over a table.
        derived: Views that are computed; those without SQL are left out.
        reach: Whose rows are shown.
        first_day: First day that any workspace loads.
        main: Schema of the views, with its catalog if it has one.
        etl: Schema of the tables.
    """

    store: DeltaStore
    tables: Mapping[str, Table]
    views: Sequence[View]
    derived: Sequence[DerivedView]
    reach: Reach
    first_day: date
    main: tuple[str, ...]
    etl: tuple[str, ...]

    def statements(self, dialect: Dialect) -> Iterator[str]:
        """The statements, in order; comments tell what is left out."""
        engine = _DuckdbTables if isinstance(dialect, Duckdb) else _DatabricksTables
        at = engine(self, dialect)
        yield from at.schemas()
        there: set[str] = set()
        for table in self.tables.values():
            statement = at.source(table)
            if statement is None:
                yield f"-- {table.name} was never loaded: it and its views are left out"
            else:
                there.add(table.name)
                yield statement
        yield f"create or replace view {at.named(CALENDAR, etl=True)} as {at.calendar()}"
        for view in self.views:
            if view.table in there:
                query = self._query(view, at)
                columns = columns_of(view, self.tables[view.table])
                yield from at.view(at.named(view.name, etl=view.in_etl), columns, view.doc, query)
        for view in self.derived:
            if view.sql is None:
                yield f"-- {view.name} is not in SQL: `overwatch sql`, Python and the file have it"
            elif there.issuperset(view.tables):
                query = self._derived_query(view, view.sql(at.dialect), at)
                yield from at.view(at.named(view.name), view.columns, view.doc, query)

    def _query(self, view: View, at: "_Tables") -> str:
        table = self.tables[view.table]
        columns = shown_columns(view, table)
        if view.per_day is None:
            return at.shown(table, columns)
        source = at.shown(table, tuple(table.schema))
        calendar = at.named(CALENDAR, etl=True)
        return per_day_sql(view.per_day, columns, source, calendar, at.dialect)

    def _derived_query(self, view: DerivedView, steps: Mapping[str, str], at: "_Tables") -> str:
        read = {
            name: at.shown(self.tables[name], tuple(self.tables[name].schema))
            for name in view.tables
        }
        calendar = {CALENDAR: f"select * from {at.named(CALENDAR, etl=True)}"}  # noqa: S608 - quoted
        named = ", ".join(
            f"{name} as ({query})" for name, query in {**read, **calendar, **steps}.items()
        )
        columns = at.dialect.listed([column.name for column in view.columns])
        return f"with {named} select {columns} from {list(steps)[-1]}"  # noqa: S608 - quoted


@dataclass(frozen=True)
class _Tables:
    """How an engine names and reads the tables."""

    ddl: Ddl
    dialect: Dialect

    def named(self, name: str, *, etl: bool = False) -> str:
        """A view or table with its schema."""
        schema = self.ddl.etl if etl else self.ddl.main
        return ".".join(map(self.dialect.quoted, (*schema, name)))

    def schemas(self) -> Iterator[str]:
        """What creates the schemas."""
        for schema in (self.ddl.main, self.ddl.etl):
            if schema:
                name = ".".join(map(self.dialect.quoted, schema))
                yield f"create schema if not exists {name}"

    def source(self, table: Table) -> str | None:
        """What creates a table; None: it is not there."""
        raise NotImplementedError

    def calendar(self) -> str:
        """A query of the days that rows may be of."""
        raise NotImplementedError

    def shown(self, table: Table, columns: Sequence[str]) -> str:
        """A query of the rows that a view shows."""
        raise NotImplementedError

    def view(self, name: str, columns: Sequence[Column], doc: str, query: str) -> Iterator[str]:
        """What creates a view and says what it shows."""
        raise NotImplementedError


@dataclass(frozen=True)
class _DuckdbTables(_Tables):
    def source(self, table: Table) -> str:
        reach = self.ddl.reach
        files = self.ddl.store.data_files(table, reach.workspaces)
        query = files_sql(table, files) if files else self._no_rows(table)
        return f"create or replace view {self.named(table.name, etl=True)} as {query}"

    def _no_rows(self, table: Table) -> str:
        columns = ", ".join(
            f"cast(null as {self.dialect.type_of(dtype)}) as {self.dialect.quoted(name)}"
            for name, dtype in table.schema.items()
        )
        return f"select {columns} where false"

    def calendar(self) -> str:
        ddl = self.ddl
        spread = {view.table for view in ddl.views if view.per_day}
        spread |= {name for view in ddl.derived for name in view.tables}
        newest: list[date] = [ddl.first_day]
        for name in sorted(spread):
            newest += ddl.store.partitions(ddl.tables[name], missing_ok=True)[DAY].to_list()
        return calendar_sql(
            ddl.first_day, max(newest) + timedelta(days=1), ddl.reach.timezone, self.dialect
        )

    def shown(self, table: Table, columns: Sequence[str]) -> str:
        condition = shown_condition(self.ddl.store, table, self.ddl.reach, self.dialect)
        source = self.named(table.name, etl=True)
        return f"select {self.dialect.listed(columns)} from {source} where {condition}"  # noqa: S608 - quoted

    def view(self, name: str, columns: Sequence[Column], doc: str, query: str) -> Iterator[str]:
        yield f"create or replace view {name} as {query}"
        yield f"comment on view {name} is {self.dialect.text(doc)}"
        for each in columns:
            column = f"{name}.{self.dialect.quoted(each.name)}"
            yield f"comment on column {column} is {self.dialect.text(each.doc)}"


@dataclass(frozen=True)
class _DatabricksTables(_Tables):
    def source(self, table: Table) -> str | None:
        store = self.ddl.store
        if not store.exists(table):
            return None
        location = self.dialect.text(store.location.uri(table.name))
        name = self.named(table.name, etl=True)
        return f"create table if not exists {name} using delta location {location}"

    def calendar(self) -> str:
        first, timezone = self.ddl.first_day, self.ddl.reach.timezone
        days = calendar_sql(first, first + FORESEEN, timezone, self.dialect)
        return f"select * from ({days}) as foreseen where date <= date_add(current_date(), 2)"  # noqa: S608 - days

    def shown(self, table: Table, columns: Sequence[str]) -> str:
        source, reach = self.named(table.name, etl=True), self.ddl.reach
        conditions = [] if reach.workspaces is None else [f"t.{of_workspaces(reach, self.dialect)}"]
        joined = ""
        if table.grain is Grain.VERSION:
            conditions.append(f"not t.{IS_OPEN.name}")
        if table.grain is Grain.INTERVAL:
            # Only partition columns are read of `newest`, and they stand in the log.
            joined = (
                f" left join (select {ORG}, max({DAY}) as newest_day from {source} "  # noqa: S608 - quoted
                f"group by {ORG}) as newest on t.{ORG} = newest.{ORG}"
            )
            is_newest = " and ".join([f"t.{DAY} = newest.newest_day", *self._in_use(reach)])
            conditions.append(f"(not t.{IS_OPEN.name} or ({is_newest}))")
        where = f" where {' and '.join(conditions)}" if conditions else ""
        return f"select {self.dialect.listed(columns, of='t')} from {source} as t{joined}{where}"  # noqa: S608 - quoted

    def _in_use(self, reach: Reach) -> Collection[str]:
        return [
            f"not (t.{ORG} = {self.dialect.text(org)} and t.{DAY} >= date '{day}')"
            for org, day in (reach.retired or {}).items()
        ]

    def view(self, name: str, columns: Sequence[Column], doc: str, query: str) -> Iterator[str]:
        described = ", ".join(
            f"{self.dialect.quoted(each.name)} comment {self.dialect.text(each.doc)}"
            for each in columns
        )
        comment = self.dialect.text(doc)
        yield f"create or replace view {name} ({described}) comment {comment} as {query}"
