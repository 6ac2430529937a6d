"""This project's reader, straight to Delta tables with this project's store.

The reader hands over frames per type of event in batches; they are written whenever some
thousand rows have come together, and each table is committed once.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.fields import TABLES, EventTable, Field, Kind
from overwatch_assets.delta.files import StagedFile
from overwatch_assets.delta.storage import StorageLocation
from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets.module import TIMESTAMP, Column, Grain, Table
from overwatch_assets.sources.compression import decompressed
from overwatch_assets.sources.files import Files
from overwatch_assets.sources.spark_event_logs.layout import log_path
from overwatch_assets.sources.spark_event_logs.reading import Limits, read_log

TYPES = {Kind.LONG: pl.Int64, Kind.TEXT: pl.String, Kind.FLAG: pl.Boolean}
FLUSH_ROWS = 100_000
WORKSPACE = "benchmark"
NOW = datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class LocalDisk:
    """Options of a local folder: none. Dagster's class for it would import Dagster."""

    provider: str = "local"

    def model_dump(self, *, exclude_none: bool) -> dict[str, Any]:  # noqa: ARG002 - of the protocol
        return {}


@dataclass
class Growing:
    """A table that is being written."""

    store: DeltaStore
    made_of: EventTable
    held: list[pl.DataFrame] = field(default_factory=list[pl.DataFrame])
    held_rows: int = 0
    staged: list[StagedFile] = field(default_factory=list[StagedFile])

    @property
    def table(self) -> Table:
        """Its declaration."""
        columns = tuple(
            Column(each.name, TYPES[each.kind], ".".join(each.path)) for each in self.made_of.fields
        )
        name = self.made_of.name
        return Table(name=name, columns=columns, keys=(), grain=Grain.EVENT, doc=name)

    def add(self, events: pl.DataFrame) -> None:
        """Add events, one row each."""
        rows = events.select(_value(each, events.columns) for each in self.made_of.fields)
        self.held.append(rows)
        self.held_rows += rows.height
        if self.held_rows >= FLUSH_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        if not self.held:
            return
        rows = pl.concat(self.held).with_columns(
            Pipeline_SnapTS=pl.lit(NOW, dtype=TIMESTAMP),
            Overwatch_RunID=pl.lit(WORKSPACE),
            workspace_name=pl.lit(WORKSPACE),
        )
        self.staged += self.store.stage(self.table, WORKSPACE, NOW.date(), rows)
        self.held, self.held_rows = [], 0

    def commit(self) -> None:
        """Make the rows visible."""
        self.flush()
        self.store.create(self.table)
        self.store.replace(self.table, WORKSPACE, [NOW.date()], self.staged, {})


def main(folder: Path, logs: Sequence[str]) -> None:
    """Read logs into Delta tables below a folder."""
    store = DeltaStore(StorageLocation(str(folder), LocalDisk()))
    tables = [Growing(store, table) for table in TABLES]
    of_event = {event: table for table in tables for event in table.made_of.events}

    def take(name: str, events: pl.DataFrame) -> None:
        of_event[name].add(events)

    files = Files()
    everything = Limits(first_ms=0, latest_ms=2**62, types=of_event.keys())
    for path in logs:
        read_log(log_path(path), decompressed(path, files.open(path)), everything, take)
    for table in tables:
        table.commit()


def _value(value: Field, columns: Sequence[str]) -> pl.Expr:
    """A value of an event; null where the reader has no such column for events of the type."""
    outer, *inner = (key.replace(" ", "") for key in value.path)
    if outer not in columns:
        return pl.lit(None, dtype=TYPES[value.kind]).alias(value.name)
    found = pl.col(outer)
    for key in inner:
        found = found.struct.field(key)
    return found.alias(value.name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
