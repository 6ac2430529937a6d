"""Polars alone: lines by their prefix, `json_decode` per type of event, `sink_delta`."""

import sys
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from benchmarks.fields import TABLES, EventTable, Field, Kind, Node, nested

TYPES = {Kind.LONG: pl.Int64(), Kind.TEXT: pl.String(), Kind.FLAG: pl.Boolean()}


def main(folder: Path, logs: Sequence[str]) -> None:
    """Read logs into Delta tables below a folder."""
    lines = pl.scan_lines(list(logs), name="line")
    for table in TABLES:
        _rows(lines, table).sink_delta(folder / table.name)


def _rows(lines: pl.LazyFrame, table: EventTable) -> pl.LazyFrame:
    line = pl.col("line")
    wanted = [line.str.starts_with(f'{{"Event":"{event}"') for event in table.events]
    event = line.str.json_decode(_type(nested(table.fields)))
    values = [_value(field) for field in table.fields]
    return lines.filter(pl.any_horizontal(wanted)).select(event=event).select(values)


def _value(field: Field) -> pl.Expr:
    value = pl.col("event")
    for key in field.path:
        value = value.struct.field(key)
    return value.alias(field.name)


def _type(inside: Node) -> pl.DataType:
    if isinstance(inside, Kind):
        return TYPES[inside]
    return pl.Struct({key: _type(each) for key, each in inside.items()})


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
