"""What is told of the logs that were read: rows for the tracker, and what was no event."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date

import polars as pl

from overwatch_assets.sources.file_tracker import (
    FAILURES_ALLOWED,
    TRACKER_SCHEMA,
    FileReading,
    KnownFiles,
)
from overwatch_assets.sources.gathering import Request
from overwatch_assets.sources.rejected_lines import RejectedLine
from overwatch_assets.sources.signed_hash import signed_hash
from overwatch_assets.sources.spark_event_logs.days import Days
from overwatch_assets.sources.spark_event_logs.layout import log_path
from overwatch_assets.sources.spark_event_logs.task import LogRead

LOG_SCHEMA = pl.Schema(
    {
        "SparkContextID": pl.String,
        "clusterId": pl.String,
        "event_counts": pl.Map(pl.String, pl.Int64),
        "reason": pl.String,
    }
)
"""What the tracker has of a log besides the columns of every tracker."""

REJECTED_SCHEMA = pl.Schema(
    {
        "SparkContextID": pl.String,
        "reason": pl.String,
        "record_hash": pl.Int64,
        "record": pl.String,
        "filename": pl.String,
        "line_number": pl.Int64,
    }
)


def tracked(
    logs: Sequence[LogRead],
    known: KnownFiles,
    folders: Collection[str],
    listed: Collection[str],
    request: Request,
) -> pl.DataFrame:
    """Rows for the tracker: logs that were read, and known ones that are gone."""
    asked = {each.day for each in request.days}
    read = known.tracked((_reading(log, known) for log in logs), asked)
    told = pl.DataFrame(
        [
            pl.Series(name, [_told(log)[name] for log in logs], dtype=dtype)
            for name, dtype in LOG_SCHEMA.items()
        ]
    )
    gone = known.gone(folders, listed, request.now_ms)
    if gone.height:
        before = request.known.sort("Pipeline_SnapTS").unique("path", keep="last")
        gone = gone.join(before.select("path", *LOG_SCHEMA), on="path", how="left")
    else:
        gone = pl.DataFrame(schema={**TRACKER_SCHEMA, **LOG_SCHEMA})
    return pl.concat([read.hstack(told), gone])


def rejected_by_day(
    logs: Sequence[LogRead], known: KnownFiles, days: Days, request: Request
) -> Mapping[date, pl.DataFrame]:
    """Lines that are no events and logs that can't be read, by the day they are told on."""
    by_day: dict[date, list[tuple[object, ...]]] = {}
    first_day, last_day = days.day_of(request.first_ms), days.day_of(request.now_ms)
    for log in logs:
        for line, at_ms in _rejected(log, known):
            day = min(max(days.day_of(at_ms), first_day), last_day)
            by_day.setdefault(day, []).append(
                (
                    log.summary.context_id,
                    line.reason,
                    signed_hash(line.record.encode()),
                    line.record,
                    line.filename,
                    line.line_number,
                )
            )
    return {
        day: pl.DataFrame(rows, schema=REJECTED_SCHEMA, orient="row")
        for day, rows in by_day.items()
    }


def _rejected(log: LogRead, known: KnownFiles) -> Sequence[tuple[RejectedLine, int]]:
    path, otherwise_ms = log.task.info.path, log.task.modified_ms
    lines = [
        (
            RejectedLine.of_line(
                path, each.line.number, each.line.text, each.line.reason, each.time_ms
            ),
            otherwise_ms if each.time_ms is None else each.time_ms,
        )
        for each in log.summary.bad_lines
    ]
    if log.summary.reason and _failures(log, known) == FAILURES_ALLOWED:
        newest_ms = log.task.asked[-1].window.since_ms
        lines.append((RejectedLine(path, None, "file can't be read", path, newest_ms), newest_ms))
    return lines


def _failures(log: LogRead, known: KnownFiles) -> int:
    """Reads of this very file that failed so far."""
    if log.summary.is_complete:
        return 0
    if log.summary.is_unreadable:
        return FAILURES_ALLOWED
    before = known.get(log.task.info)
    return 1 + (before.failures if before else 0)


def _reading(log: LogRead, known: KnownFiles) -> FileReading:
    summary = log.summary
    return FileReading(
        info=log.task.info,
        is_complete=summary.is_complete,
        failures=_failures(log, known),
        lines=summary.lines,
        rejected=summary.rejected,
        tail_bytes=summary.tail_bytes,
        first_ms=summary.first_ms,
        last_ms=summary.last_ms,
        day_counts=log.day_counts,
    )


def _told(log: LogRead) -> Mapping[str, object]:
    return {
        "SparkContextID": log.summary.context_id,
        "clusterId": log_path(log.task.info.path).cluster_id,
        "event_counts": dict(log.summary.event_counts),
        "reason": log.summary.reason,
    }
