"""Public event logs against facts counted without any of this code.

The facts count raw lines. A line that stands twice in a context is one row: where rows are
compared, it is with the distinct lines of each context, counted here by the plain `json` module.
"""

import gzip
import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import polars as pl
import pytest
from backports import zstd

from overwatch_assets.sources.files import Files
from overwatch_assets.sources.gathering import Gathered
from overwatch_assets.sources.spark_event_logs.decoding import TYPES
from overwatch_assets.sources.spark_event_logs.frames import frames_of_logs
from overwatch_assets.sources.spark_event_logs.layout import is_log, log_path
from overwatch_assets_tests.conftest import data_folder
from overwatch_assets_tests.sources.spark_event_logs.lines import gathered, united

ALIKE = ("rapids/eventlog_same_app_id_1.zstd", "rapids/eventlog_same_app_id_2.zstd")
"""The same log at two paths."""

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


def cases() -> list[str]:
    folder = data_folder()
    if folder is None:
        return ["missing"]
    return list(json.loads((folder / "spark-events" / "expected.json").read_text()))


@dataclass(frozen=True)
class Log:
    """A case: what was gathered of it, the rows of all its days, and the facts."""

    path: Path
    given: Gathered
    rows: pl.DataFrame
    facts: dict[str, Any]

    def of(self, *suffixes: str) -> pl.DataFrame:
        """Rows of the event types that end so."""
        ends_so = [pl.col("Event").str.ends_with(suffix) for suffix in suffixes]
        return self.rows.filter(pl.any_horizontal(ends_so))

    @cached_property
    def parts(self) -> list[Path]:
        files = [self.path] if self.path.is_file() else sorted(self.path.iterdir())
        return [each for each in files if is_log(str(each))]


@pytest.fixture(scope="module", params=cases())
def log(request: Any, test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Log:
    path = test_data / "spark-events" / request.param
    facts = json.loads((test_data / "spark-events" / "expected.json").read_text())[request.param]
    given, rows = loaded(path, tmp_path_factory.mktemp("log"))
    return Log(path, given, rows, facts["origin"]["_F"])


def loaded(path: Path, scratch: Path) -> tuple[Gathered, pl.DataFrame]:
    """A log through the source and the union, all of its days."""
    first, last = days_of(path)
    given = gathered(path, first.isoformat(), (last - first).days + 1, scratch=scratch)
    rows = [united(given, day) for day in given.rows]
    return given, pl.concat([united(given, first).clear(), *rows])


def days_of(path: Path) -> tuple[date, date]:
    files = Files()
    logs = [each.path for each in files.list(str(path)) if is_log(each.path)]
    times = [frame["eventTimeMS"] for frame in frames_of_logs(files, logs).values()]
    told = pl.concat([*times, pl.Series("eventTimeMS", [], dtype=pl.Int64)])
    first, last = cast("int", told.min() or 0), cast("int", told.max() or 0)
    return day_of(first), day_of(last)


def day_of(at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date()


def plain_lines(path: Path) -> list[bytes]:
    content = path.read_bytes()
    if content.startswith(b"\x1f\x8b"):
        content = gzip.decompress(content)
    if content.startswith(b"\x28\xb5\x2f\xfd"):
        content = zstd.decompress(content)
    return [each for each in content.split(b"\n") if each.strip()]


def distinct_lines(log: Log) -> Counter[str]:
    """Distinct lines by context, counted by event type."""
    if not log.facts["duplicated_lines"]:
        return Counter(log.facts["events_by_type"])
    seen: dict[str, set[bytes]] = defaultdict(set)
    for part in log.parts:
        lines = plain_lines(part)
        seen[context_of(part, lines)].update(lines)
    return Counter(json.loads(each)["Event"] for lines in seen.values() for each in lines)


def context_of(part: Path, lines: list[bytes]) -> str:
    starts = [each for each in lines if each.startswith(b'{"Event":"SparkListenerApplicationStart')]
    if not starts:
        return log_path(str(part)).context_id
    start = json.loads(starts[0])
    return f"{start['App ID']}_{start.get('App Attempt ID', '')}"


def test_events_of_every_type_are_counted(log: Log) -> None:
    counted: Counter[str] = Counter()
    for counts in log.given.processed["event_counts"].to_list():
        counted.update(counts)
    assert dict(counted) == log.facts["events_by_type"]


def test_lines_that_are_no_events_are_rejected_and_no_others(log: Log) -> None:
    oddities = [each for each in log.facts["oddities"] if "invalid JSON" in each]
    assert log.given.processed["rejected"].sum() == len(oddities)
    assert sum(frame.height for frame in log.given.rejected.values()) == len(oddities)
    assert log.given.failures == ()


def test_every_distinct_line_of_a_decoded_type_is_a_row(log: Log) -> None:
    rows = Counter(log.rows["Event"].to_list())
    expected = {name: count for name, count in distinct_lines(log).items() if name in TYPES}
    # A stage submission of Spark 1 and 2, and progress of Spark 2.0, tell no time.
    untimed = log.given.counts.get("no_time", 0)
    assert rows.total() == sum(expected.values()) - untimed
    assert all(rows[name] <= count for name, count in expected.items())


def test_executors_are_those_counted(log: Log) -> None:
    facts = log.facts["executors"]
    added = log.of("SparkListenerExecutorAdded")
    assert added["ExecutorID"].n_unique() == facts["distinct_added"]
    assert log.of("SparkListenerExecutorRemoved").height == facts["removed"]
    if not log.facts["duplicated_lines"]:
        assert added["executorInfo"].struct.field("TotalCores").sum() == facts["total_cores_added"]


def test_executions_are_those_counted(log: Log) -> None:
    facts = log.facts["sql_executions"]
    assert log.of("SQLExecutionStart")["executionId"].n_unique() == facts["distinct_started"]
    assert log.of("SQLExecutionEnd")["executionId"].n_unique() == facts["distinct_ended"]


def test_jobs_end_as_counted(log: Log) -> None:
    facts = log.facts["jobs"]
    assert log.of("SparkListenerJobStart").height == facts["starts"]
    results = log.of("SparkListenerJobEnd")["JobResult"].struct.field("Result").to_list()
    assert Counter(results) == facts["results"]


def test_stage_attempts_are_those_counted(log: Log) -> None:
    facts = log.facts["stages"]
    completed = log.of("SparkListenerStageCompleted")
    attempt = ("SparkContextID", "StageID", "StageAttemptID")
    assert completed.n_unique(attempt) == facts["completed_stage_attempts"]
    failed = completed.filter(pl.col("StageInfo").struct.field("FailureReason").is_not_null())
    assert failed.height == facts["failed_attempts"]
    assert completed.filter(pl.col("StageAttemptID") > 0).height == facts["attempts_gt_0"]


def test_tasks_end_for_the_reasons_counted(log: Log) -> None:
    facts = log.facts["tasks"]
    ends = log.of("SparkListenerTaskEnd")
    reasons = ends["TaskEndReason"].struct.field("Reason").to_list()
    assert Counter(reasons) == facts["end_reason"]
    assert log.of("SparkListenerTaskStart").height == facts["distinct_start_keys"]
    assert Counter(ends["TaskType"].to_list()) == facts["task_type"]
    info = ends["TaskInfo"].struct
    assert Counter(info.field("Locality").to_list()) == facts["locality"]
    assert info.field("Speculative").sum() == facts["speculative"]
    assert info.field("Failed").sum() == facts["failed_flag"]
    assert info.field("LaunchTime").min() == facts["first_launch"] or ends.is_empty()
    assert info.field("FinishTime").max() == facts["last_finish"]


def test_sums_over_tasks_are_those_counted(log: Log) -> None:
    facts = log.facts["tasks"]
    metrics = log.of("SparkListenerTaskEnd")["TaskMetrics"]
    sums: dict[str, int] = {}
    for name, path in SUMS.items():
        values = metrics
        for each in path:
            values = values.struct.field(each)
        sums[name] = cast("int", values.sum())
    assert sums == facts["sums"]
    peak = cast("int | None", metrics.struct.field("PeakExecutionMemory").max())
    assert (peak or 0) == (facts["peak_execution_memory_max"] or 0)


def test_the_same_log_at_two_paths_is_one(test_data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    for name in ALIKE:
        path = test_data / "spark-events" / name
        (folder / path.name).write_bytes(path.read_bytes())
    given, both = loaded(folder, tmp_path / "both")
    _, one = loaded(folder / "eventlog_same_app_id_1.zstd", tmp_path / "one")
    assert given.processed["SparkContextID"].n_unique() == 1
    content = [name for name in one.columns if not name.startswith("filename")]
    assert both.select(content).sort(content).equals(one.select(content).sort(content))
