"""Lines of made-up event logs, and asking the source for days of them."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from overwatch_assets.bronze.spark_events_bronze import spark_events_bronze
from overwatch_assets.module import DayWindow, Window
from overwatch_assets.sources.files import Files
from overwatch_assets.sources.gathering import Gathered, Request
from overwatch_assets.sources.spark_event_logs.source import SparkEventLogs

NO_CLUSTERS = pl.DataFrame(schema={"cluster_id": pl.String, "prefix": pl.String})
DAY = "2024-05-06"


def ms(text: str) -> int:
    """Epoch ms of an instant in UTC."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


NOON = ms(f"{DAY} 12:00")


def line(event: str, **fields: object) -> bytes:
    """A line as Spark writes it."""
    return compact({"Event": event, **fields})


def compact(event: Mapping[str, object]) -> bytes:
    """JSON as Spark writes it."""
    return json.dumps(event, separators=(",", ":")).encode()


def task_start(task_id: int = 0, launch_ms: int = NOON) -> bytes:
    info = {"Task ID": task_id, "Attempt": 0, "Launch Time": launch_ms, "Executor ID": "1"}
    return line(
        "SparkListenerTaskStart", **{"Stage ID": 1, "Stage Attempt ID": 0, "Task Info": info}
    )


def task_end(
    task_id: int = 0,
    finish_ms: int = NOON,
    *,
    accumulables: Sequence[object] = (),
    executor_metrics: object = None,
    reason: object = None,
    metrics: object = None,
) -> bytes:
    """The end of a task, its keys in Spark's order."""
    info: dict[str, object] = {
        "Task ID": task_id,
        "Index": task_id,
        "Attempt": 0,
        "Launch Time": finish_ms - 1000,
        "Executor ID": "1",
        "Host": "h",
        "Locality": "ANY",
        "Speculative": False,
        "Getting Result Time": 0,
        "Finish Time": finish_ms,
        "Failed": False,
        "Killed": False,
        "Accumulables": list(accumulables),
    }
    rest: dict[str, object] = {
        "Stage ID": 1,
        "Stage Attempt ID": 0,
        "Task Type": "ResultTask",
        "Task End Reason": reason or {"Reason": "Success"},
        "Task Info": info,
        "Task Executor Metrics": executor_metrics or {"JVMHeapMemory": 7},
        "Task Metrics": metrics or {"Executor Run Time": 5, "Updated Blocks": []},
    }
    return line("SparkListenerTaskEnd", **rest)


def job_start(
    job_id: int = 0,
    submitted_ms: int | None = NOON,
    properties: Mapping[str, str] | None = None,
) -> bytes:
    time = {} if submitted_ms is None else {"Submission Time": submitted_ms}
    rest: dict[str, object] = {"Stage IDs": [1], "Properties": properties}
    return line("SparkListenerJobStart", **{"Job ID": job_id, **time, **rest})


def job_end(job_id: int = 0, completed_ms: int | None = NOON) -> bytes:
    time = {} if completed_ms is None else {"Completion Time": completed_ms}
    result = {"Job Result": {"Result": "JobSucceeded"}}
    return line("SparkListenerJobEnd", **{"Job ID": job_id, **time, **result})


def text(*lines: bytes) -> bytes:
    """Whole lines of a log."""
    return b"".join(each + b"\n" for each in lines)


def days(first: str, count: int = 1) -> list[DayWindow]:
    begin = datetime.fromisoformat(first).replace(tzinfo=UTC)
    begins = [begin + timedelta(days=number) for number in range(count)]
    return [
        DayWindow(each.date(), Window(since=each, until=each + timedelta(days=1)))
        for each in begins
    ]


def request(
    scratch: Path,
    asked: Sequence[DayWindow],
    *,
    known: pl.DataFrame | None = None,
    clusters: pl.DataFrame = NO_CLUSTERS,
    first: str = "2010-01-01",
    now: str = "2100-01-01",
) -> Request:
    scratch.mkdir(exist_ok=True)
    return Request(
        organization_id="1",
        days=asked,
        first_ms=ms(first),
        now_ms=ms(now),
        known=pl.DataFrame() if known is None else known,
        coverage=clusters,
        scratch=scratch,
        zone=ZoneInfo("UTC"),
    )


def gathered(
    folder: Path,
    first: str = DAY,
    count: int = 1,
    *,
    known: pl.DataFrame | None = None,
    workers: int = 1,
    scratch: Path | None = None,
) -> Gathered:
    """What the source hands over of the logs in a folder."""
    scratch = scratch or folder.with_name(f"{folder.name}-scratch")
    asked = request(scratch, days(first, count), known=known)
    return SparkEventLogs(Files(), [str(folder)], workers).gather(asked)


def united(given: Gathered, day: date) -> pl.DataFrame:
    """The day's rows: one per key."""
    nothing = pl.LazyFrame(schema=spark_events_bronze.table.schema)
    [window] = (each.window for each in days(day.isoformat()))
    return spark_events_bronze(given.rows.get(day, nothing), nothing, window=window).collect()


def tracker(given: Gathered, at: str = "2024-05-07") -> pl.DataFrame:
    """The tracker after its first run."""
    snapshot = datetime.fromisoformat(at).replace(tzinfo=UTC)
    return given.processed.with_columns(Pipeline_SnapTS=pl.lit(snapshot))
