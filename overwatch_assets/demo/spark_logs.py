"""Writes a context's event log as Databricks delivers it: hourly archives and a live file.

`<destination>/<cluster id>/eventlog/<cluster id>_<driver ip>/<context id>/` holds
`eventlog-YYYY-MM-DD--HH-MM.gz` per past hour and `eventlog` for the hour last written in. Each
file begins with a header of its own and is as old as its delivery, soon after its last event.
"""

import gzip
import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from overwatch_assets.demo import spark_lines, spark_task_lines
from overwatch_assets.demo.company import LOG_MOUNT, Workspace
from overwatch_assets.demo.scene import HOUR_MS, MINUTE_MS, SECOND_MS
from overwatch_assets.demo.spark_properties import context_properties, job_properties
from overwatch_assets.demo.spark_task_lines import Json
from overwatch_assets.demo.world import SparkContext, StageAttempt, Task

DELIVERY_MS = 5 * MINUTE_MS
"""How often Databricks delivers the live file."""

ROLLING_MS = 95 * SECOND_MS
"""How long after the hour its archive is there."""

Event = tuple[int, int, Callable[[], Json]]


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a log, without its end, and when it was written."""

    at_ms: int
    text: str


def write_log(root: Path, context: SparkContext, workspace: Workspace) -> Path:
    """Write a context's files below the folder that stands for the mount.

    Returns:
        The context's folder.
    """
    below_mount = context.destination.removeprefix(LOG_MOUNT).strip("/")
    cluster = context.cluster.cluster_id
    host = f"{cluster}_{context.driver_host.replace('.', '_')}"
    folder = root / below_mount / cluster / "eventlog" / host / context.context_id
    folder.mkdir(parents=True, exist_ok=True)
    for name, modified_ms, lines in _files(context, log_lines(context, workspace)):
        content = "".join(f"{line}\n" for line in lines).encode()
        path = folder / name
        path.write_bytes(gzip.compress(content, 6, mtime=0) if name.endswith(".gz") else content)
        os.utime(path, ns=(modified_ms * 10**6, modified_ms * 10**6))
    return folder


def log_lines(context: SparkContext, workspace: Workspace) -> list[LogLine]:
    """Return every event of a context once, in the order the driver wrote them."""
    ordered = sorted(_events(context, workspace), key=lambda event: event[:2])
    return [LogLine(at_ms, to_json(make())) for at_ms, _, make in ordered]


def to_json(value: object) -> str:
    """Return JSON text as Spark writes it, without blanks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _files(context: SparkContext, lines: list[LogLine]) -> Iterator[tuple[str, int, list[str]]]:
    """Yield name, modification time and lines of each file."""
    hours: dict[int, list[LogLine]] = defaultdict(list)
    for line in lines:
        hours[line.at_ms // HOUR_MS].append(line)
    *rolled, last = sorted(hours)
    for number, hour in enumerate(rolled):
        begun = datetime.fromtimestamp(hour * HOUR_MS / 1000, tz=UTC)
        modified = (hour + 1) * HOUR_MS + ROLLING_MS
        texts = _texts(context, hours[hour], number)
        yield f"eventlog-{begun:%Y-%m-%d--%H-%M}.gz", modified, texts
    live = hours[last]
    delivered = (live[-1].at_ms // DELIVERY_MS + 1) * DELIVERY_MS + 7 * SECOND_MS
    if context.is_overlapping and rolled:
        live = [*hours[rolled[-1]], *live]
    yield "eventlog", delivered, _texts(context, live, len(rolled))


def _texts(context: SparkContext, lines: list[LogLine], rollover: int) -> list[str]:
    header = spark_lines.file_header(context.context_id, lines[0].at_ms, rollover)
    texts = [to_json(header), *(line.text for line in lines)]
    return _garbled(texts) if context.is_garbled and rollover == 0 else texts


def _garbled(lines: list[str]) -> list[str]:
    """Tear a line in the middle, as a flush that was interrupted and then repeated."""
    middle = len(lines) // 2
    return [*lines[:middle], lines[middle][: len(lines[middle]) // 2], *lines[middle:]]


def _events(context: SparkContext, workspace: Workspace) -> Iterator[Event]:
    """Yield the events with their time and, within a millisecond, their rank."""
    properties = context_properties(context, workspace)
    started, driver = context.started_ms, context.driver_host
    yield started, 0, spark_lines.resource_profile
    yield started, 1, partial(spark_lines.block_manager_added, "driver", driver, started)
    yield started, 2, partial(spark_lines.environment, properties)
    yield started, 3, partial(spark_lines.application_start, context)
    for each in context.executors:
        yield each.added_ms, 4, partial(spark_lines.executor_added, each, context.app_id)
        yield (
            each.added_ms + 350,
            5,
            partial(
                spark_lines.block_manager_added,
                each.executor_id,
                each.host,
                each.added_ms + 350,
            ),
        )
        if each.removed_ms is not None:
            yield each.removed_ms, 95, partial(spark_lines.executor_removed, each)
    for each in context.executions:
        yield each.started_ms, 10, partial(spark_lines.execution_start, each)
        if each.ended_ms is not None:
            yield each.ended_ms, 79, partial(spark_lines.driver_accumulators, each)
            yield each.ended_ms, 80, partial(spark_lines.execution_end, each)
    for job in context.jobs:
        of_job = job_properties(properties, job)
        yield job.submitted_ms, 20, partial(spark_lines.job_start, job, of_job)
        if job.completed_ms is not None:
            yield job.completed_ms, 70, partial(spark_lines.job_end, job)
        for stage in job.stages:
            is_result = stage.stage_id == job.stage_ids[-1]
            yield from _stage_events(stage, of_job, is_result=is_result)
    yield from _stream_events(context)


def _stage_events(
    stage: StageAttempt, properties: dict[str, str], *, is_result: bool
) -> Iterator[Event]:
    totals: dict[int, tuple[str, int]] = {}

    def ended(task: Task) -> Json:
        return spark_task_lines.task_end(
            stage, task, _added(stage, task, totals), is_result=is_result
        )

    def completed() -> Json:
        accumulables = [
            spark_task_lines.accumulable(stage.accumulator_id + n, name, value)
            for n, (name, value) in sorted(totals.items())
        ]
        return spark_lines.stage_completed(stage, accumulables)

    yield stage.submitted_ms, 30, partial(spark_lines.stage_submitted, stage, properties)
    for task in stage.tasks:
        if task.is_speculative:
            yield task.launched_ms, 39, partial(spark_task_lines.speculation, stage)
        yield task.launched_ms, 40, partial(spark_task_lines.task_start, stage, task)
        if task.finished_ms is not None:
            yield task.finished_ms, 50, partial(ended, task)
    if stage.completed_ms is not None:
        yield stage.completed_ms, 60, completed


def _added(stage: StageAttempt, task: Task, totals: dict[int, tuple[str, int]]) -> list[Json]:
    """Add a task to its stage's totals; called in the order the tasks ended."""
    accumulables: list[Json] = []
    if task.metrics is None:
        return accumulables
    for n, name, amount in spark_task_lines.accumulator_updates(task.metrics):
        total = totals.get(n, (name, 0))[1] + amount
        totals[n] = name, total
        accumulables.append(
            spark_task_lines.accumulable(stage.accumulator_id + n, name, total, amount)
        )
    return accumulables


def _stream_events(context: SparkContext) -> Iterator[Event]:
    for query in context.queries:
        yield query.started_ms, 8, partial(spark_lines.query_started, query)
        if query.terminated_ms is not None:
            yield query.terminated_ms, 97, partial(spark_lines.query_terminated, query)
    for batch in context.batches:
        yield batch.ended_ms, 90, partial(spark_lines.query_progress, batch)
