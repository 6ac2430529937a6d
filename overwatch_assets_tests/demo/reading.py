"""A plain reading of the written demo: lines of files, as the `json` module sees them."""

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

Event = dict[str, Any]


def text_of(path: Path) -> str:
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode()


def lines_of(path: Path) -> list[str]:
    text = text_of(path)
    assert text.endswith("\n")
    return text.removesuffix("\n").split("\n")


def context_folders(log_folder: Path) -> list[Path]:
    return sorted({path.parent for path in log_folder.rglob("eventlog") if path.is_file()})


def events_of(folder: Path) -> list[Event]:
    """Every event of a context once, file headers aside; lines that are no JSON are left out."""
    lines = {line: None for path in sorted(folder.iterdir()) for line in lines_of(path)}
    events = [event for event in map(parsed, lines) if event is not None]
    return [event for event in events if event["Event"] != "DBCEventLoggingListenerMetadata"]


def parsed(line: str) -> Event | None:
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        return None


def audit_records(audit_folder: Path) -> Iterator[tuple[str, Event]]:
    """Folder and record of every audit line, repeats included."""
    for path in sorted(audit_folder.rglob("auditlogs_*.json")):
        for line in lines_of(path):
            yield path.parent.name, json.loads(line)


def day_of(at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).date()


TIME_KEYS = {
    "SparkListenerJobStart": ("Submission Time",),
    "SparkListenerJobEnd": ("Completion Time",),
    "SparkListenerStageSubmitted": ("Stage Info", "Submission Time"),
    "SparkListenerStageCompleted": ("Stage Info", "Completion Time"),
    "SparkListenerTaskStart": ("Task Info", "Launch Time"),
    "SparkListenerTaskEnd": ("Task Info", "Finish Time"),
    "SparkListenerSQLExecutionStart": ("time",),
    "SparkListenerSQLExecutionEnd": ("time",),
    "SparkListenerApplicationStart": ("Timestamp",),
    "SparkListenerExecutorAdded": ("Timestamp",),
    "SparkListenerExecutorRemoved": ("Timestamp",),
    "StreamingQueryListener$QueryStartedEvent": ("timestamp",),
    "StreamingQueryListener$QueryProgressEvent": ("progress", "timestamp"),
}


def event_time(event: Event) -> int | None:
    """Epoch ms of an event that some table uses, by its type; None: any other event."""
    value: Any = event
    keys = TIME_KEYS.get(event["Event"].rsplit(".", 1)[-1])
    for key in keys or ():
        value = value[key]
    if isinstance(value, str):
        return iso_ms(value) + event.get("progress", {}).get("batchDuration", 0)
    return value if keys else None


def iso_ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def counted(folders: list[Path]) -> tuple[dict[str, dict[str, Counter[str]]], Counter[str]]:
    """Per day what a truth says about Spark, and the events without a time by type."""
    days: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    untimed: Counter[str] = Counter()
    for folder in folders:
        for event in events_of(folder):
            at_ms = event_time(event)
            if at_ms is None:
                untimed[event["Event"]] += 1
                continue
            day = days[day_of(at_ms).isoformat()]
            day["spark_events"][event["Event"]] += 1
            _count(day, event)
    return days, untimed


def _count(day: dict[str, Counter[str]], event: Event) -> None:
    match event["Event"]:
        case "SparkListenerJobEnd":
            day["spark_jobs"][event["Job Result"]["Result"]] += 1
        case "SparkListenerStageCompleted":
            failed = "Failure Reason" in event["Stage Info"]
            day["stages"]["failed" if failed else "completed"] += 1
        case "SparkListenerTaskEnd":
            info, metrics = event["Task Info"], event.get("Task Metrics")
            day["tasks"][event["Task End Reason"]["Reason"]] += 1
            day["sums"]["task_duration_ms"] += info["Finish Time"] - info["Launch Time"]
            if metrics is not None:
                day["sums"].update(_sums(metrics))
        case _:
            pass


def _sums(metrics: Event) -> dict[str, int]:
    read, written = metrics["Shuffle Read Metrics"], metrics["Shuffle Write Metrics"]
    return {
        "run_time_ms": metrics["Executor Run Time"],
        "cpu_time_ns": metrics["Executor CPU Time"],
        "gc_time_ms": metrics["JVM GC Time"],
        "input_bytes": metrics["Input Metrics"]["Bytes Read"],
        "output_bytes": metrics["Output Metrics"]["Bytes Written"],
        "shuffle_read_bytes": read["Remote Bytes Read"] + read["Local Bytes Read"],
        "shuffle_write_bytes": written["Shuffle Bytes Written"],
        "memory_spilled_bytes": metrics["Memory Bytes Spilled"],
        "disk_spilled_bytes": metrics["Disk Bytes Spilled"],
    }
