"""A Spark context as it was at an instant: what had not happened by then is unknown.

So ends a log whose cluster went away, and so looks the world when somebody reads it.
"""

from dataclasses import replace

from overwatch_assets.demo.world import (
    Execution,
    Executor,
    SparkContext,
    SparkJob,
    StageAttempt,
    StreamQuery,
    Task,
)


def as_of(context: SparkContext, until_ms: int) -> SparkContext:
    """Cut a context: starts at or after the instant vanish, later ends become None."""
    stopped = context.stopped_ms
    return replace(
        context,
        stopped_ms=_before(stopped, until_ms + 1),
        executors=tuple(
            _executor(each, until_ms) for each in context.executors if each.added_ms < until_ms
        ),
        executions=tuple(
            _execution(each, until_ms) for each in context.executions if each.started_ms < until_ms
        ),
        jobs=tuple(_job(each, until_ms) for each in context.jobs if each.submitted_ms < until_ms),
        queries=tuple(
            _query(each, until_ms) for each in context.queries if each.started_ms < until_ms
        ),
        batches=tuple(each for each in context.batches if each.ended_ms < until_ms),
    )


def _before(instant: int | None, until_ms: int) -> int | None:
    return None if instant is None or instant >= until_ms else instant


def _executor(executor: Executor, until_ms: int) -> Executor:
    return replace(executor, removed_ms=_before(executor.removed_ms, until_ms))


def _execution(execution: Execution, until_ms: int) -> Execution:
    if _before(execution.ended_ms, until_ms) is not None:
        return execution
    return replace(execution, ended_ms=None, error="")


def _query(query: StreamQuery, until_ms: int) -> StreamQuery:
    return replace(query, terminated_ms=_before(query.terminated_ms, until_ms))


def _job(job: SparkJob, until_ms: int) -> SparkJob:
    stages = tuple(_stage(each, until_ms) for each in job.stages if each.submitted_ms < until_ms)
    if _before(job.completed_ms, until_ms) is not None:
        return replace(job, stages=stages)
    return replace(job, stages=stages, completed_ms=None, failure=None)


def _stage(stage: StageAttempt, until_ms: int) -> StageAttempt:
    tasks = tuple(_task(each, until_ms) for each in stage.tasks if each.launched_ms < until_ms)
    if _before(stage.completed_ms, until_ms) is not None:
        return replace(stage, tasks=tasks)
    return replace(stage, tasks=tasks, completed_ms=None, failure=None)


def _task(task: Task, until_ms: int) -> Task:
    if _before(task.finished_ms, until_ms) is not None:
        return task
    return replace(task, finished_ms=None, ending=None, metrics=None, kill_reason="")
