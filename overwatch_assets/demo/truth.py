"""The ground truth: per workspace and day, counts and sums taken from the simulation itself.

Nothing here reads a file or shares code with what does. Every event counts on the UTC day of
its own time; a repeated delivery counts once; a file's header line counts nowhere.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from overwatch_assets.demo.compute_truth import compute_truth
from overwatch_assets.demo.estate_truth import estate_truth
from overwatch_assets.demo.scene import DAY_MS
from overwatch_assets.demo.world import (
    SparkContext,
    SparkJob,
    StageAttempt,
    TaskMetrics,
    WorkspaceWorld,
    World,
)

SQL = "org.apache.spark.sql.execution.ui.SparkListenerSQLExecution"
STREAMING = "org.apache.spark.sql.streaming.StreamingQueryListener$Query"

SUMS = (
    "run_time_ms",
    "cpu_time_ns",
    "gc_time_ms",
    "task_duration_ms",
    "input_bytes",
    "output_bytes",
    "shuffle_read_bytes",
    "shuffle_write_bytes",
    "memory_spilled_bytes",
    "disk_spilled_bytes",
)


@dataclass(slots=True)
class DayTruth:
    """What a day holds.

    Attributes:
        audit_events: By `service.action`.
        spark_events: By event type, of those that carry a time.
        spark_jobs: Ended on the day, by result.
        stages: Attempts ended on the day, `completed` or `failed`.
        tasks: Ended on the day, by reason.
        sums: Over those tasks; a task without metrics adds its duration only.
    """

    audit_events: Counter[str] = field(default_factory=Counter[str])
    spark_events: Counter[str] = field(default_factory=Counter[str])
    spark_jobs: Counter[str] = field(default_factory=Counter[str])
    stages: Counter[str] = field(default_factory=Counter[str])
    tasks: Counter[str] = field(default_factory=Counter[str])
    sums: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(SUMS, 0)))


def truth_of(world: World) -> dict[str, object]:
    """Return the truth as JSON-like values, by workspace id."""
    days = (world.until_ms - world.since_ms) // DAY_MS
    first = _day(world.since_ms)
    return {
        each.workspace.workspace_id: {
            **_workspace(each, [first + timedelta(days=n) for n in range(days)]),
            "compute": compute_truth(each.compute, world.since_ms, world.until_ms),
            "estate": estate_truth(each, world.since_ms, world.until_ms),
        }
        for each in world.workspaces
    }


def _workspace(world: WorkspaceWorld, days: list[date]) -> dict[str, object]:
    truths = {day: DayTruth() for day in days}
    for action in world.actions:
        truths[_day(action.at_ms)].audit_events[f"{action.service}.{action.action}"] += 1
    untimed: Counter[str] = Counter()
    for context in world.contexts:
        for at_ms, event in _timed_events(context):
            truths[_day(at_ms)].spark_events[event] += 1
        untimed.update(_untimed_events(context))
        for job in context.jobs:
            _count_job(job, truths)
    return {
        "workspace_name": world.workspace.name,
        "spark_contexts": len(world.contexts),
        "clusters_with_logs": len({each.cluster.cluster_id for each in world.contexts}),
        "rejected_lines": sum(context.is_garbled for context in world.contexts),
        "untimed_spark_events": dict(untimed),
        "days": {
            day.isoformat(): {
                "audit_events": dict(truth.audit_events),
                "spark_events": dict(truth.spark_events),
                "spark_jobs": dict(truth.spark_jobs),
                "stages": dict(truth.stages),
                "tasks": dict(truth.tasks),
                "sums": dict(truth.sums),
            }
            for day, truth in truths.items()
        },
    }


def _day(at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).date()


def _timed_events(context: SparkContext) -> Iterator[tuple[int, str]]:
    """Yield each event that carries a time, with that time."""
    yield context.started_ms, "SparkListenerApplicationStart"
    for each in context.executors:
        yield each.added_ms, "SparkListenerExecutorAdded"
        if each.removed_ms is not None:
            yield each.removed_ms, "SparkListenerExecutorRemoved"
    for each in context.executions:
        yield each.started_ms, f"{SQL}Start"
        if each.ended_ms is not None:
            yield each.ended_ms, f"{SQL}End"
    for job in context.jobs:
        yield job.submitted_ms, "SparkListenerJobStart"
        if job.completed_ms is not None:
            yield job.completed_ms, "SparkListenerJobEnd"
        for stage in job.stages:
            yield from _timed_stage_events(stage)
    for query in context.queries:
        yield query.started_ms, f"{STREAMING}StartedEvent"
    for batch in context.batches:
        yield batch.ended_ms, f"{STREAMING}ProgressEvent"


def _timed_stage_events(stage: StageAttempt) -> Iterator[tuple[int, str]]:
    yield stage.submitted_ms, "SparkListenerStageSubmitted"
    if stage.completed_ms is not None:
        yield stage.completed_ms, "SparkListenerStageCompleted"
    for task in stage.tasks:
        yield task.launched_ms, "SparkListenerTaskStart"
        if task.finished_ms is not None:
            yield task.finished_ms, "SparkListenerTaskEnd"


def _untimed_events(context: SparkContext) -> Iterator[str]:
    """Yield the types that no table stores: without a time, or of no use."""
    yield "SparkListenerResourceProfileAdded"
    yield "SparkListenerEnvironmentUpdate"
    yield "SparkListenerBlockManagerAdded"
    for _ in context.executors:
        yield "SparkListenerBlockManagerAdded"
    for each in context.executions:
        if each.ended_ms is not None:
            yield "org.apache.spark.sql.execution.ui.SparkListenerDriverAccumUpdates"
    for each in context.queries:
        if each.terminated_ms is not None:
            yield f"{STREAMING}TerminatedEvent"
    tasks = (task for job in context.jobs for stage in job.stages for task in stage.tasks)
    for task in tasks:
        if task.is_speculative:
            yield "org.apache.spark.scheduler.SparkListenerSpeculativeTaskSubmitted"


def _count_job(job: SparkJob, truths: dict[date, DayTruth]) -> None:
    if job.completed_ms is not None:
        result = "JobSucceeded" if job.failure is None else "JobFailed"
        truths[_day(job.completed_ms)].spark_jobs[result] += 1
    for stage in job.stages:
        if stage.completed_ms is not None:
            outcome = "completed" if stage.failure is None else "failed"
            truths[_day(stage.completed_ms)].stages[outcome] += 1
        for task in stage.tasks:
            if task.finished_ms is not None and task.ending is not None:
                truth = truths[_day(task.finished_ms)]
                truth.tasks[task.ending.value] += 1
                truth.sums["task_duration_ms"] += task.finished_ms - task.launched_ms
                if task.metrics is not None:
                    _add(truth.sums, task.metrics)


def _add(sums: Counter[str], metrics: TaskMetrics) -> None:
    sums["run_time_ms"] += metrics.run_ms
    sums["cpu_time_ns"] += metrics.cpu_ns
    sums["gc_time_ms"] += metrics.gc_ms
    sums["input_bytes"] += metrics.input_bytes
    sums["output_bytes"] += metrics.output_bytes
    sums["shuffle_read_bytes"] += metrics.remote_bytes_read + metrics.local_bytes_read
    sums["shuffle_write_bytes"] += metrics.shuffle_bytes_written
    sums["memory_spilled_bytes"] += metrics.memory_spilled
    sums["disk_spilled_bytes"] += metrics.disk_spilled
