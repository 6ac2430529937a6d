"""The driver of a cluster: runs queries as Spark jobs and stages, one Spark context long."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from overwatch_assets.demo.company import Cluster, digits
from overwatch_assets.demo.queries import QueryShape, StageShape
from overwatch_assets.demo.spark_tasks import Ran, Slots, TaskRunner
from overwatch_assets.demo.world import (
    Ending,
    Execution,
    Executor,
    Origin,
    SparkContext,
    SparkJob,
    StageAttempt,
    StreamBatch,
    StreamQuery,
)

ACCUMULATORS_PER_STAGE = 60
DRIVER_ID = "driver"

WITHOUT_USER = 0.08
"""Share of Spark jobs started by threads that don't know their user."""


class Trouble(Enum):
    """What goes wrong with a query."""

    NONE = auto()
    RETRIED = auto()
    FAILS = auto()
    CANCELLED = auto()
    STRAGGLER = auto()
    LOST_EXECUTOR = auto()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a query ended; `failure` None: well."""

    execution_id: int | None
    ended_ms: int
    failure: str | None


@dataclass(frozen=True, slots=True)
class _Planned:
    """A stage before it runs."""

    query: QueryShape
    shape: StageShape
    stage_id: int
    parent_ids: tuple[int, ...]
    partitions: range


class Driver:
    """A Spark context in the making."""

    def __init__(self, cluster: Cluster, rng: random.Random, started_ms: int) -> None:
        """Start the driver; executors come with `scale_up`."""
        self._cluster = cluster
        self._rng = rng
        self._started_ms = started_ms
        self._context_id = str(digits(rng, 19))
        self._subnet = f"10.{rng.randrange(20, 200)}.{rng.randrange(1, 250)}"
        self._host = self._new_host()
        self._slots = Slots()
        self._tasks = TaskRunner(rng, self._slots)
        self._executors: list[Executor] = []
        self._executions: list[Execution] = []
        self._jobs: list[SparkJob] = []
        self._queries: list[StreamQuery] = []
        self._batches: list[StreamBatch] = []
        self._next_stage = 0
        self._next_accumulator = 1

    def scale_up(self, count: int, at_ms: int) -> None:
        """Add executors; on a single node the driver is the one there is."""
        single = self._cluster.is_single_node
        for n in range(1 if single else count):
            executor = Executor(
                DRIVER_ID if single else str(len(self._executors)),
                self._host if single else self._new_host(),
                self._cluster.cores,
                at_ms + 400 * n,
            )
            self._executors.append(executor)
            self._slots.add(executor)

    def scale_down(self, at_ms: int) -> None:
        """Give the newest executor back once it is idle."""
        newest = [each for each in self._executors if each.removed_ms is None][-1]
        newest.removed_ms = max(at_ms, self._slots.busy_until(newest)) + 1
        newest.removed_reason = "Executor decommission: spark scale down"

    def run(
        self,
        query: QueryShape,
        origin: Origin,
        at_ms: int,
        trouble: Trouble = Trouble.NONE,
        description: str | None = None,
    ) -> Outcome:
        """Run a query; its jobs follow each other until one fails."""
        if trouble is Trouble.LOST_EXECUTOR:
            at_ms = max(at_ms, self._slots.busy_until())
        execution_id = len(self._executions) if query.is_sql else None
        if execution_id is not None:
            text = query.text if description is None else description
            self._executions.append(Execution(execution_id, text, query, at_ms, None))
        clock, failure = at_ms + self._rng.randrange(25, 160), None
        groups = [(shape,) for shape in query.stages] if query.is_adaptive else [query.stages]
        for n, shapes in enumerate(groups):
            is_last = n == len(groups) - 1
            of_job = trouble if is_last or trouble is not Trouble.FAILS else Trouble.NONE
            planned = self._plan(query, shapes, skipped=min(n, 1))
            job = self._run_job(planned, origin, execution_id, clock, of_job)
            ended_ms = clock if job.completed_ms is None else job.completed_ms
            clock, failure = ended_ms + self._rng.randrange(3, 40), job.failure
            if failure is not None:
                break
            if trouble is not Trouble.FAILS:
                trouble = Trouble.NONE
        if execution_id is not None:
            self._executions[execution_id] = replace(
                self._executions[execution_id], ended_ms=clock, error=failure or ""
            )
        return Outcome(execution_id, clock, failure)

    def stream(
        self,
        query: StreamQuery,
        shape: QueryShape,
        origin: Origin,
        triggers: Sequence[int],
    ) -> None:
        """Run a micro-batch at each trigger that the batch before leaves time for."""
        self._queries.append(query)
        free_at = query.started_ms
        for batch_id, trigger in enumerate(at for at in triggers if at >= query.started_ms):
            at = max(trigger, free_at)
            label = "" if query.name is None else f"{query.name}<br/>"
            description = (
                f"{label}id = {query.query_id}<br/>runId = {query.run_id}<br/>batch = {batch_id}"
            )
            of_batch = replace(origin, stream=query, batch_id=batch_id)
            outcome = self.run(shape, of_batch, at + 30, description=description)
            ended = outcome.ended_ms + self._rng.randrange(20, 90)
            rows = self._rng.randrange(400, 9000)
            self._batches.append(StreamBatch(query, batch_id, at, ended - at, rows))
            free_at = ended + 1

    def context(
        self,
        destination: str,
        stopped_ms: int | None,
        *,
        is_overlapping: bool = False,
        is_garbled: bool = False,
    ) -> SparkContext:
        """Hand over what happened, uncut."""
        return SparkContext(
            context_id=self._context_id,
            app_id=f"app-{self._context_id[:14]}-0000",
            cluster=self._cluster,
            destination=destination,
            driver_host=self._host,
            started_ms=self._started_ms,
            stopped_ms=stopped_ms,
            executors=tuple(self._executors),
            executions=tuple(self._executions),
            jobs=tuple(self._jobs),
            queries=tuple(self._queries),
            batches=tuple(self._batches),
            is_overlapping=is_overlapping,
            is_garbled=is_garbled,
        )

    def _run_job(
        self,
        planned: Sequence[_Planned],
        origin: Origin,
        execution_id: int | None,
        at_ms: int,
        trouble: Trouble,
    ) -> SparkJob:
        first = self._next_stage
        self._next_stage = planned[-1].stage_id + 1
        job_id = len(self._jobs)
        if self._rng.random() < WITHOUT_USER:
            origin = replace(origin, user=None)
        stages, failure = self._run_stages(planned, at_ms + 12, trouble)
        if trouble is Trouble.CANCELLED:
            failure = f"Job {job_id} cancelled part of cancelled job group {origin.job_group}"
        job = SparkJob(
            job_id=job_id,
            execution_id=execution_id,
            origin=origin,
            submitted_ms=at_ms,
            completed_ms=max(stage.completed_ms or 0 for stage in stages) + 4,
            failure=failure,
            stage_ids=tuple(range(first, self._next_stage)),
            stages=tuple(stages),
        )
        self._jobs.append(job)
        return job

    def _plan(
        self, query: QueryShape, shapes: Sequence[StageShape], *, skipped: int
    ) -> list[_Planned]:
        first = self._next_stage + skipped
        return [
            _Planned(
                query=query,
                shape=shape,
                stage_id=first + n,
                parent_ids=(first + n - 1,) if n + skipped else (),
                partitions=range(max(1, round(shape.tasks * self._rng.uniform(0.8, 1.2)))),
            )
            for n, shape in enumerate(shapes)
        ]

    def _run_stages(
        self, planned: Sequence[_Planned], at_ms: int, trouble: Trouble
    ) -> tuple[list[StageAttempt], str | None]:
        stages: list[StageAttempt] = []
        clock = at_ms
        for position, stage in enumerate(planned):
            if trouble is Trouble.LOST_EXECUTOR and position == 1:
                stages += self._refetched(planned[0], stage, clock)
            else:
                here = _trouble_of(trouble, position, len(planned))
                ran = self._run_tasks(stage.shape, stage.partitions, clock, here)
                failure = _failure(here, stage.stage_id, ran)
                stages.append(self._stage(stage, ran, clock, failure))
                if failure is not None:
                    return stages, f"Job aborted due to stage failure: {failure}"
            clock = _completed(stages[-1]) + 6
        return stages, None

    def _refetched(self, lost: _Planned, stage: _Planned, at_ms: int) -> list[StageAttempt]:
        """The stage fails to fetch, its parent's lost part runs again, then what is missing."""
        ran = self._tasks.fetch_failing(stage.shape, stage.partitions, at_ms)
        reason = (
            "org.apache.spark.shuffle.FetchFailedException: unable to fetch the output of "
            f"ShuffleMapStage {lost.stage_id}: executor was lost"
        )
        failed = self._stage(stage, ran, at_ms, reason)
        again_ms = _completed(failed) + 210
        redone = self._tasks.complete(lost.shape, lost.partitions[:2], again_ms)
        parent = self._stage(lost, redone, again_ms, number=1)
        rest_ms = _completed(parent) + 6
        rest = self._tasks.complete(stage.shape, ran.missing, rest_ms)
        return [failed, parent, self._stage(stage, rest, rest_ms, number=1)]

    def _run_tasks(
        self, shape: StageShape, partitions: Sequence[int], at_ms: int, trouble: Trouble
    ) -> Ran:
        match trouble:
            case Trouble.RETRIED:
                return self._tasks.retried(shape, partitions, at_ms)
            case Trouble.FAILS:
                return self._tasks.failing(shape, partitions, at_ms)
            case Trouble.CANCELLED:
                return self._tasks.cancelled(shape, partitions, at_ms)
            case Trouble.STRAGGLER:
                return self._tasks.straggling(shape, partitions, at_ms)
            case Trouble.LOST_EXECUTOR:
                self._lose_one(at_ms + round(0.7 * shape.run_ms))
            case Trouble.NONE:
                pass
        return self._tasks.complete(shape, partitions, at_ms)

    def _lose_one(self, at_ms: int) -> None:
        executor, free_at = self._slots.take(at_ms)
        self._slots.give_back(executor, free_at)
        executor.removed_ms = at_ms
        executor.removed_reason = f"worker lost: {executor.host} got disconnected"

    def _stage(
        self,
        planned: _Planned,
        ran: Ran,
        submitted_ms: int,
        failure: str | None = None,
        number: int = 0,
    ) -> StageAttempt:
        accumulator_id = self._next_accumulator
        self._next_accumulator += ACCUMULATORS_PER_STAGE
        return StageAttempt(
            stage_id=planned.stage_id,
            attempt=number,
            operation=planned.shape.operation,
            name=planned.query.call_site,
            parent_ids=planned.parent_ids,
            partitions=len({task.index for task in ran.tasks} | set(ran.missing)),
            submitted_ms=submitted_ms,
            completed_ms=ran.ended_ms + self._rng.randrange(1, 7),
            failure=failure,
            accumulator_id=accumulator_id,
            tasks=ran.tasks,
        )

    def _new_host(self) -> str:
        return f"{self._subnet}.{self._rng.randrange(2, 255)}"


def _trouble_of(trouble: Trouble, position: int, count: int) -> Trouble:
    afflicted = count - 1 if trouble is Trouble.FAILS else 0
    return trouble if position == afflicted else Trouble.NONE


def _failure(trouble: Trouble, stage_id: int, ran: Ran) -> str | None:
    if trouble is Trouble.CANCELLED:
        return "Stage cancelled because the job group was cancelled"
    if trouble is not Trouble.FAILS:
        return None
    last = [task for task in ran.tasks if task.ending is Ending.EXCEPTION][-1]
    return (
        f"Task {last.index} in stage {stage_id}.0 failed 4 times, most recent failure: "
        f"Lost task {last.index}.{last.attempt} in stage {stage_id}.0 (TID {last.task_id}) "
        f"({last.executor.host} executor {last.executor.executor_id}): "
        "java.lang.ArithmeticException: / by zero"
    )


def _completed(stage: StageAttempt) -> int:
    if stage.completed_ms is None:
        unfinished = f"stage {stage.stage_id}.{stage.attempt} has not ended"
        raise ValueError(unfinished)
    return stage.completed_ms
