"""DuckDB `read_ndjson` with the columns it shall read, streamed to Delta tables.

One scan for all tables, on one thread, which takes the least CPU: rows of the two small tables
are put aside while delta-rs drains the large one.
"""
# PyArrow has no types.
# pyright: basic, reportAttributeAccessIssue=false

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import write_deltalake

from benchmarks.fields import JOBS, STAGES, TABLES, TASKS, EventTable, Kind, Node, nested

BATCH_ROWS = 122_880
LONGEST_LINE = 128 << 20
TYPES = {Kind.LONG: "BIGINT", Kind.TEXT: "VARCHAR", Kind.FLAG: "BOOLEAN"}
ARROW_TYPES = {Kind.LONG: pa.int64(), Kind.TEXT: pa.string(), Kind.FLAG: pa.bool_()}


def main(folder: Path, logs: Sequence[str]) -> None:
    """Read logs into Delta tables below a folder."""
    database = duckdb.connect()
    database.sql("SET threads = 1")
    reader = database.sql(_query(logs)).to_arrow_reader(BATCH_ROWS)
    aside: dict[str, list[pa.RecordBatch]] = {JOBS.name: [], STAGES.name: []}

    def task_batches() -> Iterator[pa.RecordBatch]:
        for batch in reader:
            for table in (JOBS, STAGES):
                if (rows := _rows_of(table, batch)).num_rows:
                    aside[table.name].append(rows)
            yield _rows_of(TASKS, batch)

    def write(table: EventTable, batches: Iterable[pa.RecordBatch]) -> None:
        rows = pa.RecordBatchReader.from_batches(_schema(table), batches)
        write_deltalake(str(folder / table.name), rows)

    write(TASKS, task_batches())
    write(JOBS, aside[JOBS.name])
    write(STAGES, aside[STAGES.name])


def _rows_of(table: EventTable, batch: pa.RecordBatch) -> pa.RecordBatch:
    rows = batch.filter(pc.is_in(batch["Event"], pa.array(table.events)))
    return rows.select([_column(table, name) for name in table.names]).rename_columns(table.names)


def _schema(table: EventTable) -> pa.Schema:
    return pa.schema([(field.name, ARROW_TYPES[field.kind]) for field in table.fields])


def _query(logs: Sequence[str]) -> str:
    fields = tuple(field for table in TABLES for field in table.fields)
    columns = {"Event": "VARCHAR"}
    columns |= {key: _type(inside) for key, inside in nested(fields).items()}
    declared = ", ".join(f"'{name}': '{dtype}'" for name, dtype in columns.items())
    values = ", ".join(
        f"{'.'.join(f'{chr(34)}{key}{chr(34)}' for key in field.path)} "
        f'AS "{_column(table, field.name)}"'
        for table in TABLES
        for field in table.fields
    )
    events = ", ".join(f"'{event}'" for table in TABLES for event in table.events)
    declared = f"columns = {{{declared}}}, maximum_object_size = {LONGEST_LINE}"
    lines = f"read_ndjson({list(logs)!r}, {declared}, ignore_errors = true)"
    return f"SELECT Event, {values} FROM {lines} WHERE Event IN ({events})"  # noqa: S608 - all of it is ours


def _column(table: EventTable, name: str) -> str:
    return f"{table.name}_{name}"


def _type(inside: Node) -> str:
    if isinstance(inside, Kind):
        return TYPES[inside]
    fields = ", ".join(f'"{key}" {_type(each)}' for key, each in inside.items())
    return f"STRUCT({fields})"


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
