"""Job runs on clusters of their own, and the streaming job that never ends."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from overwatch_assets.demo import cast_lives
from overwatch_assets.demo.company import (
    JOB_WORKERS,
    Cluster,
    Job,
    JobTask,
    cluster_id,
    digits,
    job_cluster,
)
from overwatch_assets.demo.job_definitions import JobDefinition, JobVersion, cast_settings
from overwatch_assets.demo.job_runs import (
    RUN_NOW,
    TRIGGERED,
    Ending,
    JobRun,
    Place,
    RunEnd,
    TaskRun,
)
from overwatch_assets.demo.moment import as_of
from overwatch_assets.demo.queries import QUERIES
from overwatch_assets.demo.scene import DAY_MS, MINUTE_MS, SECOND_MS, Scene, task_session
from overwatch_assets.demo.spark_driver import Driver, Trouble
from overwatch_assets.demo.world import SparkContext, StreamQuery

BEFORE_MIDNIGHT_MS = 4 * SECOND_MS


def scheduled_runs(scene: Scene) -> Iterator[SparkContext]:
    """Play the scheduled runs; each has a cluster, hence a context, of its own."""
    for job in scene.workspace.jobs:
        _define(scene, job, scene.at(0, 0, 20))
        if job.is_on_shared:
            continue
        for day in range(scene.days):
            for n, minute in enumerate(job.start_minutes):
                rng = scene.chance("run", job.name, day, n)
                is_failing = job.single_node and day == 0 and n == 0
                run = _Run(scene, job, rng, scene.at(day, 0, minute), is_failing=is_failing)
                yield run.play()


def stream_run(scene: Scene) -> SparkContext:
    """Play the stream: started on the first morning, running when the last day ends."""
    workspace, diary, rng = scene.workspace, scene.diary, scene.chance("stream")
    cluster, job = workspace.streaming, workspace.stream_job
    created = scene.at(0, 0, 5)
    diary.cluster_created(created, cluster, cluster.owner, created + 4 * MINUTE_MS)
    _define(scene, job, created + 10 * SECOND_MS)
    started = created + 3 * MINUTE_MS
    driver = Driver(cluster, rng, started)
    driver.scale_up(2, started + 9 * SECOND_MS)
    run_id, task_run = digits(rng, 14), digits(rng, 14)
    asked = created + 5 * MINUTE_MS
    diary.run_asked(asked, job, run_id, cluster.owner)
    task = job.tasks[0]
    diary.run_told(
        asked + SECOND_MS,
        "runStart",
        job,
        task_run,
        parent_run_id=run_id,
        task_key=task.key,
        cluster=cluster,
    )
    origin = task_session(job.owner, task, job.job_id, task_run, rng)
    query = StreamQuery(
        query_id=diary.new_id(),
        run_id=diary.new_id(),
        name=workspace.stream_name,
        started_ms=asked + 20 * SECOND_MS,
    )
    every = workspace.stream_minutes * MINUTE_MS
    regular = range(scene.at(0, 0, 15), scene.until_ms, every)
    late = (scene.at(day + 1) - SECOND_MS // 2 for day in range(scene.days))
    triggers = sorted({*regular, *late})
    of_query = replace(origin, job_group=query.run_id)
    driver.stream(query, QUERIES["stream_batch"], of_query, triggers)
    context = driver.context(cluster.log_destination or "", None, is_overlapping=True)
    up = created, created + 4 * MINUTE_MS
    cast_lives.created(scene, cluster, context.context_id, up, cluster.owner)
    endless = TaskRun(
        run_id=task_run,
        key=task.key,
        kind="notebook",
        place=Place.EXISTING,
        cluster_id=cluster.cluster_id,
        started_ms=asked + SECOND_MS,
        ended_ms=None,
        ending=None,
    )
    scene.ledger.all_runs.append(
        JobRun(run_id, job.job_id, job.name, RUN_NOW, cluster.owner, asked, (endless,))
    )
    return as_of(context, scene.until_ms)


def _define(scene: Scene, job: Job, at_ms: int) -> None:
    scene.diary.job_created(at_ms, job)
    version = JobVersion(at_ms, cast_settings(job, scene.workspace))
    scene.ledger.all_jobs.append(JobDefinition(job.job_id, job.owner, [version]))


@dataclass(slots=True)
class _Run:
    """A run of a scheduled job, task after task."""

    scene: Scene
    job: Job
    rng: random.Random
    at_ms: int
    is_failing: bool
    tasks: list[TaskRun] = field(default_factory=list[TaskRun])

    def play(self) -> SparkContext:
        """Run the tasks; after a failed one the rest is left out."""
        scene, diary, job = self.scene, self.scene.diary, self.job
        run_id = digits(self.rng, 14)
        cluster = self._cluster(run_id)
        diary.logged_in(self.at_ms - SECOND_MS, job.owner)
        diary.run_triggered(self.at_ms, job, run_id)
        created = self.at_ms + 2 * SECOND_MS
        ready = created + self.rng.randrange(150, 240) * SECOND_MS
        diary.cluster_created(created, cluster, job.owner, ready)
        driver = Driver(cluster, self.rng, ready - 40 * SECOND_MS)
        driver.scale_up(JOB_WORKERS, ready - 25 * SECOND_MS)
        clock, is_good = ready + 5 * SECOND_MS, True
        for task in job.tasks:
            clock, is_good = self._play_task(driver, task, clock, run_id, cluster)
            if not is_good:
                break
        ending = "runSucceeded" if is_good else "runFailed"
        diary.run_told(
            clock + SECOND_MS,
            ending,
            job,
            run_id,
            parent_run_id=None,
            task_key="",
            cluster=cluster,
        )
        stopped = clock + self.rng.randrange(8, 25) * SECOND_MS
        diary.cluster_expired(stopped + 20 * SECOND_MS, cluster)
        context = driver.context(cluster.log_destination or "", stopped)
        life = cast_lives.created(
            scene, cluster, context.context_id, (created, ready), cluster.owner
        )
        cast_lives.finished(life, stopped, stopped + 20 * SECOND_MS)
        end = RunEnd(clock + SECOND_MS, Ending.SUCCEEDED if is_good else Ending.FAILED)
        scene.ledger.all_runs.append(
            JobRun(
                run_id=run_id,
                job_id=job.job_id,
                name=job.name,
                asked=TRIGGERED,
                by=job.owner,
                submitted_ms=self.at_ms,
                tasks=tuple(self.tasks),
                ends=(end,),
            )
        )
        return as_of(context, min(stopped, scene.until_ms))

    def _play_task(
        self, driver: Driver, task: JobTask, at_ms: int, parent: int, cluster: Cluster
    ) -> tuple[int, bool]:
        diary, job, task_run = self.scene.diary, self.job, digits(self.rng, 14)
        before = self.tasks[-1:]

        def tell(when: int, action: str) -> None:
            diary.run_told(
                when,
                action,
                job,
                task_run,
                parent_run_id=parent,
                task_key=task.key,
                cluster=cluster,
                depends_on=tuple(each.key for each in before),
            )

        tell(at_ms, "runStart")
        origin = task_session(job.owner, task, job.job_id, task_run, self.rng)
        clock, failure = at_ms, None
        for n, query in enumerate(task.queries):
            is_last = n == len(task.queries) - 1
            trouble = Trouble.FAILS if self.is_failing and is_last else Trouble.NONE
            outcome = driver.run(query, origin, self._pause(clock), trouble)
            clock, failure = outcome.ended_ms, outcome.failure
        clock += 2 * SECOND_MS
        tell(clock, "runSucceeded" if failure is None else "runFailed")
        self.tasks.append(
            TaskRun(
                run_id=task_run,
                key=task.key,
                kind="notebook",
                place=Place.JOB_CLUSTER,
                cluster_id=cluster.cluster_id,
                started_ms=at_ms,
                ended_ms=clock,
                ending=Ending.SUCCEEDED if failure is None else Ending.FAILED,
                depends_on=tuple(each.key for each in before),
            )
        )
        return clock, failure is None

    def _pause(self, at_ms: int) -> int:
        """Work outside of Spark; a pause never passes midnight without Spark noticing."""
        is_long = len(self.job.tasks) > 1
        minutes = self.rng.uniform(5, 9) if is_long else self.rng.uniform(0.1, 1)
        after = at_ms + round(minutes * MINUTE_MS)
        nearly_midnight = after - after % DAY_MS - BEFORE_MIDNIGHT_MS
        return nearly_midnight if at_ms < nearly_midnight else after

    def _cluster(self, run_id: int) -> Cluster:
        created = datetime.fromtimestamp(self.at_ms // SECOND_MS + 2, tz=UTC)
        name = f"job-{self.job.job_id}-run-{run_id}-main"
        return job_cluster(self.scene.workspace, self.job, cluster_id(self.rng, created), name)
