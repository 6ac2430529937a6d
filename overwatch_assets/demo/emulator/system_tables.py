"""System tables of an account, which a warehouse's statements are run on for real.

`system.access.audit` and `system.compute.warehouse_events` hold the rows of every workspace of
the account, as in Databricks: whoever asks for one workspace says so. DuckDB runs the statements,
without access to files or network. All rows that will ever be there are read once, in batches,
with the instant of their delivery; a statement sees those that have been delivered when it runs.
So a table of millions serves statement after statement while time goes on.
"""

import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Literal

import duckdb
import msgspec
import polars as pl
import polars.selectors as cs

from overwatch_assets.demo.emulator.sql_text import (
    AUDIT,
    CATALOG,
    TABLES,
    WAREHOUSE_EVENTS,
    for_duckdb,
    schema_in_duckdb,
)
from overwatch_assets.demo.emulator.workspace import Delivered, EmulatedWorkspace, Json

Format = Literal["JSON_ARRAY", "ARROW_STREAM"]

Columns = Mapping[str, str | Mapping[str, str]]
"""DuckDB's type by column of a table; a struct's by field."""

Rows = Mapping[str, Iterable[Delivered]]
"""Rows by table."""

_OF_AUDIT: Columns = {
    "account_id": "VARCHAR",
    "workspace_id": "VARCHAR",
    "version": "VARCHAR",
    "event_time": "TIMESTAMP",
    "event_date": "DATE",
    "source_ip_address": "VARCHAR",
    "user_agent": "VARCHAR",
    "session_id": "VARCHAR",
    "user_identity": {"email": "VARCHAR", "subject_name": "VARCHAR"},
    "service_name": "VARCHAR",
    "action_name": "VARCHAR",
    "request_id": "VARCHAR",
    "request_params": "MAP(VARCHAR, VARCHAR)",
    "response": {"status_code": "INTEGER", "error_message": "VARCHAR", "result": "VARCHAR"},
    "audit_level": "VARCHAR",
    "event_id": "VARCHAR",
    "identity_metadata": {"run_by": "VARCHAR", "run_as": "VARCHAR"},
}
_OF_WAREHOUSE_EVENTS: Columns = {
    "account_id": "VARCHAR",
    "workspace_id": "VARCHAR",
    "warehouse_id": "VARCHAR",
    "event_type": "VARCHAR",
    "cluster_count": "INTEGER",
    "event_time": "TIMESTAMP",
}
COLUMNS = {AUDIT: _OF_AUDIT, WAREHOUSE_EVENTS: _OF_WAREHOUSE_EVENTS}
"""Columns by table."""

_FUNCTIONS = (
    "create macro unix_millis(instant) as epoch_ms(instant)",
    "create macro timestamp_millis(number) as epoch_ms(number::bigint)",
    "create macro to_date(value) as cast(value as date)",
)
"""What Databricks calls otherwise than DuckDB."""

_SPARK_TYPES = {
    "varchar": ("STRING", "STRING"),
    "boolean": ("BOOLEAN", "BOOLEAN"),
    "tinyint": ("BYTE", "TINYINT"),
    "smallint": ("SHORT", "SMALLINT"),
    "integer": ("INT", "INT"),
    "bigint": ("LONG", "BIGINT"),
    "hugeint": ("LONG", "BIGINT"),
    "float": ("FLOAT", "FLOAT"),
    "double": ("DOUBLE", "DOUBLE"),
    "date": ("DATE", "DATE"),
    "timestamp": ("TIMESTAMP", "TIMESTAMP"),
    "decimal": ("DECIMAL", "DECIMAL"),
    "struct": ("STRUCT", "STRUCT"),
    "map": ("MAP", "MAP"),
    "list": ("ARRAY", "ARRAY"),
}
"""Databricks' type, by name and as text, by DuckDB's."""

_HELD, _DELIVERED, _AS_OF = "held", "delivered_ms", "as_of_ms"
"""Schema of all rows, their column of the delivery, variable of the instant that is seen."""

_BATCH = 20_000
_NESTED = {"struct", "map", "list"}
_INSTANT = "%Y-%m-%dT%H:%M:%S.%gZ"
_NO_TABLE = re.compile(r'(?:Table|View) with name "?([^"\s!]+)"?', re.IGNORECASE)


class StatementFailed(Exception):
    """A statement that was taken and could not be run.

    Attributes:
        sql_state: SQLSTATE of the reason.
    """

    def __init__(self, message: str, sql_state: str) -> None:
        """Keep what the status tells."""
        super().__init__(f"{message} SQLSTATE: {sql_state}")
        self.sql_state = sql_state


@dataclass(frozen=True, slots=True)
class Statement:
    """What is to be run.

    Attributes:
        values: Value by parameter, as text; null: None.
        types: Databricks' type by parameter; others are text.
    """

    text: str
    format: Format
    values: Mapping[str, str | None]
    types: Mapping[str, str]
    catalog: str | None = None
    schema: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a statement selected.

    Attributes:
        columns: Name and Databricks' type of each column, by name and as text.
        rows: The rows as text, in the format `JSON_ARRAY`.
        frame: The rows with their types, in the format `ARROW_STREAM`.
    """

    columns: Sequence[tuple[str, str, str]]
    rows: Sequence[Sequence[str | None]] = ()
    frame: pl.DataFrame | None = None

    @property
    def row_count(self) -> int:
        """Number of rows."""
        return len(self.rows) if self.frame is None else self.frame.height

    def head(self, rows: int) -> "Outcome":
        """The first rows."""
        frame = None if self.frame is None else self.frame.head(rows)
        return Outcome(self.columns, self.rows[:rows], frame)


class SystemTables:
    """Runs statements, one after the other; any thread may use it."""

    def __init__(self) -> None:
        """Hold no rows yet."""
        self._lock = threading.Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None

    def forget(self) -> None:
        """Forget the rows; the next statement reads them anew."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def load(self, rows: Rows) -> int:
        """Read the rows if none are held.

        Returns:
            How many audit events are held.
        """
        with self._lock:
            counted = self._loaded(rows).execute(f"select count(*) from {_HELD}.{AUDIT}").fetchall()  # noqa: S608 - names of this file
            return int(counted[0][0])

    def run(self, statement: Statement, rows: Rows, as_of_ms: int) -> Outcome:
        """Run a statement on the rows that have been delivered by an instant.

        Args:
            statement: One `select`.
            rows: The tables' rows; read only if none are held.
            as_of_ms: The instant.

        Raises:
            StatementFailed: It can't be parsed or run, or is no `select`.
        """
        sql, marked = for_duckdb(statement.text, statement.types, statement.catalog)
        unbound = marked - statement.values.keys()
        if unbound:
            told = f"[UNBOUND_SQL_PARAMETER] Found the unbound parameter: {min(unbound)}."
            raise StatementFailed(told, "42P02")
        values = {name: statement.values[name] for name in marked}
        with self._lock:
            connection = self._loaded(rows)
            connection.execute(f"set variable {_AS_OF} = ?", [as_of_ms])
            try:
                _check_select(connection, sql)
                is_system = statement.catalog == CATALOG and statement.schema in {*TABLES.values()}
                schema = schema_in_duckdb(statement.schema or "") if is_system else "main"
                connection.execute("set schema = ?", [f'"{schema}"'])
                connection.execute(f"create or replace temp table result as {sql}", values)
                return _outcome(connection, statement.format)
            except duckdb.Error as error:
                raise _failed(error) from error

    def _loaded(self, rows: Rows) -> duckdb.DuckDBPyConnection:
        if self._connection is not None:
            return self._connection
        connection = duckdb.connect(":memory:", config={"enable_external_access": "false"})
        for schema in (_HELD, *map(schema_in_duckdb, TABLES.values())):
            connection.execute(f'create schema "{schema}"')
        for table in TABLES:
            _create(connection, table)
            _insert(connection, table, rows[table])
        for function in _FUNCTIONS:
            connection.execute(function)
        self._connection = connection
        return connection


def account_rows(workspaces: Sequence[EmulatedWorkspace]) -> Rows:
    """Rows of every workspace of an account; none is made before it is asked for."""
    each = chain.from_iterable
    return {
        AUDIT: each(workspace.audit_rows() for workspace in workspaces),
        WAREHOUSE_EVENTS: each(workspace.warehouse_events() for workspace in workspaces),
    }


def _create(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Create a table of all rows, and the view of those that have been delivered."""
    columns = ", ".join(f"{name} {_duckdb_type(dtype)}" for name, dtype in COLUMNS[table].items())
    connection.execute(f"create table {_HELD}.{table} ({_DELIVERED} bigint, {columns})")
    seen = f"{_DELIVERED} <= getvariable('{_AS_OF}')"
    connection.execute(
        f'create view "{schema_in_duckdb(TABLES[table])}".{table} as '  # noqa: S608 - names of this file
        f"select * exclude {_DELIVERED} from {_HELD}.{table} where {seen}"
    )


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Delivered]) -> None:
    """Insert the rows batch by batch: as Python objects they take many times their size."""
    names = COLUMNS[table]
    schema = {_DELIVERED: pl.Int64, **dict.fromkeys(names, pl.String)}
    columns = ", ".join((_DELIVERED, *(_typed(name, dtype) for name, dtype in names.items())))
    left = iter(rows)
    while batch := list(islice(left, _BATCH)):
        texts = [{_DELIVERED: delivered_ms, **_as_text(row, names)} for delivered_ms, row in batch]
        connection.register("given", pl.DataFrame(texts, schema=schema))
        connection.execute(f"insert into {_HELD}.{table} select {columns} from given")  # noqa: S608 - names of this file
        connection.unregister("given")


def _as_text(row: Json, columns: Columns) -> dict[str, str | None]:
    """A row with every value as text, nested ones as JSON."""
    return {
        name: value
        if value is None or isinstance(value, str)
        else msgspec.json.encode(value).decode()
        for name, value in ((name, row.get(name)) for name in columns)
    }


def _duckdb_type(dtype: str | Mapping[str, str]) -> str:
    """A column's type; a struct's fields are named in it."""
    if isinstance(dtype, str):
        return dtype
    return f"struct({', '.join(f'{name} {of}' for name, of in dtype.items())})"


def _typed(name: str, dtype: str | Mapping[str, str]) -> str:
    """A column's text as its type; a struct's fields may be absent."""
    if isinstance(dtype, str):
        return f"cast({name}{'::json' if '(' in dtype else ''} as {dtype}) as {name}"
    return f"from_json({name}, '{msgspec.json.encode(dtype).decode()}') as {name}"


def _check_select(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    statements = connection.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        told = "[INSUFFICIENT_PERMISSIONS] Insufficient privileges: only a select may be run."
        raise StatementFailed(told, "42501")


def _outcome(connection: duckdb.DuckDBPyConnection, form: Format) -> Outcome:
    """The rows of the table `result`."""
    described = connection.table("result")
    types = [
        (name, dtype.id) for name, dtype in zip(described.columns, described.types, strict=True)
    ]
    if form == "JSON_ARRAY":
        texts = ", ".join(_text_of(name, dtype) for name, dtype in types)
        rows = connection.execute(f"select {texts} from result").fetchall()  # noqa: S608 - quoted names
        return Outcome([(name, *_spark_type(dtype)) for name, dtype in types], rows)
    values = ", ".join(_value_of(name, dtype) for name, dtype in types)
    frame = connection.sql(f"select {values} from result").pl()  # noqa: S608 - quoted names
    # Nested values travel as JSON text, and the manifest says so.
    columns = [(name, *_spark_type("varchar" if d in _NESTED else d)) for name, d in types]
    in_utc = cs.datetime(time_zone=None).dt.replace_time_zone("Etc/UTC")
    return Outcome(columns, frame=frame.with_columns(in_utc))


def _text_of(name: str, dtype: str) -> str:
    column = _quoted(name)
    if dtype in _NESTED:
        column = f"to_json({column})"
    if dtype == "timestamp":
        return f"strftime({column}, '{_INSTANT}')"
    return f"cast({column} as varchar)"


def _value_of(name: str, dtype: str) -> str:
    column = _quoted(name)
    if dtype in _NESTED:
        return f"cast(to_json({column}) as varchar) as {column}"
    return f"cast({column} as bigint) as {column}" if dtype == "hugeint" else column


def _spark_type(dtype: str) -> tuple[str, str]:
    return _SPARK_TYPES.get(dtype, ("STRING", "STRING"))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _failed(error: duckdb.Error) -> StatementFailed:
    """DuckDB's reason in the words of Databricks."""
    told = str(error).partition("\n")[0]
    found = _NO_TABLE.search(told)
    match error:
        case duckdb.CatalogException() if found:
            name = ".".join(f"`{part}`" for part in found[1].split("."))
            return StatementFailed(
                f"[TABLE_OR_VIEW_NOT_FOUND] The table or view {name} cannot be found. "
                "Verify the spelling and correctness of the schema and catalog.",
                "42P01",
            )
        case duckdb.ParserException():
            return StatementFailed(f"[PARSE_SYNTAX_ERROR] {told}", "42601")
        case duckdb.ConversionException():
            return StatementFailed(f"[CAST_INVALID_INPUT] {told}", "22018")
        case duckdb.BinderException() if "not found in FROM" in told:
            return StatementFailed(f"[UNRESOLVED_COLUMN.WITH_SUGGESTION] {told}", "42703")
        case _:
            return StatementFailed(f"[INTERNAL_ERROR] {told}", "XX000")
