"""Dagster's event log in SQLite, written in batches.

Dagster's own storage opens a database for each event and commits it alone, some 15 ms of CPU each:
a run over many days spends more on its records than on its tables. This one keeps connections open
and stores the events of a batch together. Files and schema are Dagster's own: either reads what the
other wrote.
"""

import os
from collections import OrderedDict
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.events import ASSET_EVENTS
from dagster._core.storage.event_log import SqlEventLogStorageTable, SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine

OPEN_SHARDS = 8
"""Databases kept open: that of all assets, and those of the runs touched last."""

BATCH_SIZE = "500"
"""Of a process that doesn't tell its own in `BATCH_SIZE_VARIABLE`."""
BATCH_SIZE_VARIABLE = "DAGSTER_EVENT_BATCH_SIZE"
"""Dagster's; without it Dagster hands over one event at a time."""


class BatchedSqliteEventLog(SqliteEventLogStorage):
    """`SqliteEventLogStorage` that keeps its connections and stores batches in one transaction.

    Args:
        base_dir: Folder of the databases; unless told, the one that Dagster itself would take:
            `history/runs` below `DAGSTER_HOME`.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._found_tables: set[str] = set()
        super().__init__(base_dir, inst_data)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {"base_dir": dg.Field(dg.StringSource, is_required=False)}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "BatchedSqliteEventLog":
        default = Path(os.environ["DAGSTER_HOME"]) / "history" / "runs"
        return cls(config_value.get("base_dir") or str(default), inst_data)

    def has_table(self, table_name: str) -> bool:
        """Whether the database of all assets has it; asked once for one that is there."""
        if table_name not in self._found_tables and super().has_table(table_name):
            self._found_tables.add(table_name)
        return table_name in self._found_tables

    def store_event_batch(self, events: Sequence[dg.EventLogEntry]) -> None:
        """Store the events of a run in order."""
        for in_batch, stretch in groupby(events, _is_of_asset):
            if in_batch:
                self._store_asset_events(list(stretch))
            else:
                super().store_event_batch(list(stretch))

    def _store_asset_events(self, events: Sequence[dg.EventLogEntry]) -> None:
        """One transaction in the run's database, one in that of all assets."""
        rows = [self._event_to_row(event) for event in events]
        insert = SqlEventLogStorageTable.insert()
        with self.run_connection(events[0].run_id) as run:
            run.execute(insert, rows)
        numbered = insert.returning(SqlEventLogStorageTable.c.id, sort_by_parameter_order=True)
        with self.index_transaction() as index:
            ids = list(index.execute(numbered, rows).scalars())
            self._store_asset_event_tags(index, events, ids)
            for event, event_id in _last_of_each_asset(events, ids):
                self._store_asset_event(index, event, event_id)

    def dispose(self) -> None:
        super().dispose()
        while self._engines:
            self._engines.popitem()[1].dispose()

    @contextmanager
    def _connect(self, shard: str) -> Generator[Connection]:
        with self._db_lock:
            engine = self._engine_of(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection

    def _engine_of(self, shard: str) -> Engine:
        engine = self._engines.pop(shard, None) or create_engine(
            self.conn_string_for_shard(shard),
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS},
        )
        self._engines[shard] = engine
        if len(self._engines) > OPEN_SHARDS:
            oldest = next(each for each in self._engines if each != INDEX_SHARD_NAME)
            self._engines.pop(oldest).dispose()
        return engine


def _is_of_asset(event: dg.EventLogEntry) -> bool:
    """Whether the log and the asset's row are all that the event is kept in."""
    return event.is_dagster_event and event.dagster_event_type in ASSET_EVENTS


def _last_of_each_asset(
    events: Sequence[dg.EventLogEntry], ids: Sequence[int]
) -> Iterator[tuple[dg.EventLogEntry, int]]:
    """Of each asset and kind of event the last: only it remains in the asset's row."""
    last = {
        (event.get_dagster_event().asset_key, event.dagster_event_type): (event, event_id)
        for event, event_id in zip(events, ids, strict=True)
    }
    yield from last.values()
