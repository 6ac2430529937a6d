"""Real event logs through files, bronze, silver and gold, against independently counted facts.

The facts count raw lines. A line that stands twice in a log is one row here; where that makes a
difference the facts' own count of distinct keys is what a table must hold.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from dagster_deltalake.config import LocalConfig

from overwatch_assets.delta.storage import StorageLocation
from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets.execution.load import Loader
from overwatch_assets.execution.run import Run
from overwatch_assets.module import Scope, Table
from overwatch_assets.registry import MODULES, in_load_order
from overwatch_assets.resources import NotConfigured
from overwatch_assets.sources.compression import decompressed
from overwatch_assets.sources.files import Files
from overwatch_assets.sources.gathering import Source
from overwatch_assets.sources.spark_event_logs.source import SparkEventLogs
from overwatch_assets_tests.conftest import data_folder
from overwatch_assets_tests.memory import MadeUpWorkspace, MemoryLedger, UtcCalendar

Facts = dict[str, Any]

_EPOCHS = re.compile(
    rb'"(?:Timestamp|Submission Time|Completion Time|Launch Time|Finish Time|time)":(\d{13})\b'
)
_INSTANTS = re.compile(rb'"timestamp"\s*:\s*"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)')

SPARK = [module for module in in_load_order() if module.scope is Scope.SPARK_EVENTS]
BENEATH = {name for module in SPARK for name in module.dependencies}
LOADED = [each for each in in_load_order() if each in SPARK or each.table.name in BENEATH]
"""All that Spark event logs end up in, and what that looks at."""
TABLES = {module.table.name: module.table for module in MODULES}
"""Names of the tables."""


def cases() -> list[str]:
    folder = data_folder()
    if folder is None:
        return ["missing"]
    return list(json.loads((folder / "spark-events" / "expected.json").read_text()))


@dataclass(frozen=True)
class Loaded:
    """A case's tables and the facts about it."""

    store: DeltaStore
    facts: Facts

    def rows(self, name: str) -> pl.DataFrame:
        """Rows as a view shows them: closed ones, and those open on the newest day."""
        rows = self.store.scan(TABLES[name]).collect()
        if "is_open" not in rows.columns or rows.is_empty():
            return rows
        return rows.filter(
            ~pl.col("is_open") | (pl.col("partition_date") == rows["partition_date"].max())
        )

    def ended(self, name: str) -> pl.DataFrame:
        """Rows whose end an event told."""
        return self.rows(name).filter(pl.col("end_reason").is_in(["event", "start_missing"]))


@pytest.fixture(params=cases(), scope="module")
def loaded(
    request: pytest.FixtureRequest, test_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Loaded:
    root = test_data / "spark-events"
    path = root / request.param
    facts: Facts = json.loads((root / "expected.json").read_text())[request.param]["origin"]["_F"]
    first, last = span(path)
    store = DeltaStore(StorageLocation(str(tmp_path_factory.mktemp("tables")), LocalConfig()))
    load_folder(store, path, first, last)
    return Loaded(store, facts)


def load_folder(store: DeltaStore, path: Path, first: date, last: date) -> None:
    days = [date.fromordinal(day) for day in range(first.toordinal(), last.toordinal() + 1)]
    workspace = MadeUpWorkspace(first_day=first)
    ledger = MemoryLedger()

    def logs(_organization_id: str) -> Source:
        return SparkEventLogs(files=Files(), prefixes=(str(path),), workers=1)

    loader = Loader(
        store=store,
        ledger=ledger,
        modules={module.table.name: module for module in MODULES},
        calendar=UtcCalendar(),
        chunk_days=400,
        sources={**dict.fromkeys(other_sources(), _nothing), "spark_event_logs": logs},
    )
    run = Run(run_id="real", snapshot=datetime.now(UTC))
    for module in LOADED:
        ledger.write(loader.load(module, workspace, days, run))


def other_sources() -> set[str]:
    """Every source but the Spark event logs."""
    return {module.source for module in MODULES if module.source}


def _nothing(_: str) -> NotConfigured:
    return NotConfigured("databricks")


def span(path: Path) -> tuple[date, date]:
    """First and last day that a log's text names, by a plain search."""
    files = [path] if path.is_file() else [each for each in path.iterdir() if each.is_file()]
    days: set[date] = set()
    for file in files:
        size = file.stat().st_size
        text = b"".join(decompressed(str(file), Files().open(str(file)))) if size else b""
        days |= {datetime.fromtimestamp(int(ms) / 1000, UTC).date() for ms in _EPOCHS.findall(text)}
        days |= {date.fromisoformat(each[:10].decode()) for each in _INSTANTS.findall(text)}
    return min(days), max(days)


def table_of(name: str) -> Table:
    return TABLES[name]


def test_every_event_is_counted_by_type(loaded: Loaded) -> None:
    tracker = next(
        module.tracker for module in MODULES if module.table.name == "spark_events_bronze"
    )
    assert tracker is not None
    counted: dict[str, int] = {}
    files = loaded.store.scan(tracker).collect().unique("path")
    for per_file in files["event_counts"]:
        for event, number in dict(per_file).items():
            counted[event] = counted.get(event, 0) + number
    assert counted == loaded.facts["events_by_type"]


def test_executors_are_those_added_and_removed(loaded: Loaded) -> None:
    executors = loaded.rows("spark_executors_silver").drop_nulls("addedTimestamp")
    facts = loaded.facts["executors"]
    # The facts count ids; each attempt of an application numbers its executors anew.
    assert executors["ExecutorID"].n_unique() == facts["distinct_added"]
    assert facts["distinct_added"] <= executors.height <= facts["added"]
    assert loaded.ended("spark_executors_silver").height == facts["removed"]


def test_executions_start_and_end_once(loaded: Loaded) -> None:
    executions = loaded.rows("spark_executions_silver")
    facts = loaded.facts["sql_executions"]
    assert executions["startTimestamp"].drop_nulls().len() == facts["distinct_started"]
    assert loaded.ended("spark_executions_silver").height == facts["distinct_ended"]


def test_jobs_have_their_results(loaded: Loaded) -> None:
    jobs = loaded.rows("spark_jobs_silver")
    facts = loaded.facts["jobs"]
    ended = loaded.ended("spark_jobs_silver")
    results = ended.group_by(pl.col("JobResult").struct.field("Result").alias("result")).len()
    assert dict(results.iter_rows()) == facts["results"]
    assert jobs.height == facts["distinct"]
    assert jobs.height - ended.height == facts["without_end"]
    missing = ended.filter(pl.col("end_reason") == "start_missing")
    assert missing.height == facts["end_without_start"]


def test_stages_are_completed_and_fail(loaded: Loaded) -> None:
    facts = loaded.facts["stages"]
    ended = loaded.ended("spark_stages_silver")
    assert ended.height == facts["completed_stage_attempts"]
    failed = ended.filter(pl.col("StageInfo").struct.field("FailureReason").is_not_null())
    assert failed.height == facts["failed_attempts"]


def test_tasks_end_for_their_reasons(loaded: Loaded) -> None:
    facts = loaded.facts["tasks"]
    ended = loaded.ended("spark_tasks_silver")
    assert ended.height == facts["distinct_end_keys"]
    if facts["ends"] == facts["distinct_end_keys"]:
        reason = pl.col("TaskEndReason").struct.field("Reason").alias("reason")
        assert dict(ended.group_by(reason).len().iter_rows()) == facts["end_reason"]
    started_only = loaded.rows("spark_tasks_silver").height - ended.height
    assert started_only == facts["start_without_end"]


SUMS = {
    "executor_run_time_ms": ("ExecutorRunTime",),
    "executor_cpu_time_ns": ("ExecutorCPUTime",),
    "jvm_gc_time_ms": ("JVMGCTime",),
    "executor_deserialize_time_ms": ("ExecutorDeserializeTime",),
    "result_size": ("ResultSize",),
    "memory_bytes_spilled": ("MemoryBytesSpilled",),
    "disk_bytes_spilled": ("DiskBytesSpilled",),
    "shuffle_remote_bytes_read": ("ShuffleReadMetrics", "RemoteBytesRead"),
    "shuffle_local_bytes_read": ("ShuffleReadMetrics", "LocalBytesRead"),
    "shuffle_records_read": ("ShuffleReadMetrics", "TotalRecordsRead"),
    "shuffle_fetch_wait_ms": ("ShuffleReadMetrics", "FetchWaitTime"),
    "shuffle_bytes_written": ("ShuffleWriteMetrics", "ShuffleBytesWritten"),
    "shuffle_records_written": ("ShuffleWriteMetrics", "ShuffleRecordsWritten"),
    "input_bytes": ("InputMetrics", "BytesRead"),
    "input_records": ("InputMetrics", "RecordsRead"),
    "output_bytes": ("OutputMetrics", "BytesWritten"),
    "output_records": ("OutputMetrics", "RecordsWritten"),
}


@pytest.mark.parametrize("table", ["spark_tasks_silver", "sparktask_gold"])
def test_what_tasks_measured_adds_up(loaded: Loaded, table: str) -> None:
    facts = loaded.facts["tasks"]
    metrics = pl.col("TaskMetrics" if table.endswith("silver") else "task_metrics")
    totals = {name: _field(metrics, path).sum().alias(name) for name, path in SUMS.items()}
    peak = metrics.struct.field("PeakExecutionMemory").max().fill_null(0)
    made = loaded.ended(table).select(*totals.values(), peak.alias("peak")).row(0, named=True)
    assert made == {**facts["sums"], "peak": facts["peak_execution_memory_max"] or 0}


def _field(column: pl.Expr, path: tuple[str, ...]) -> pl.Expr:
    for name in path:
        column = column.struct.field(name)
    return column
