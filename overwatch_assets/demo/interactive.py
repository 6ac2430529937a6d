"""Days at the shared cluster: people query it, jobs are started on it by hand.

The first day holds one of each trouble. On the second (on the first, when there is no other)
the cluster is given another log destination and restarted while a query runs.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace

from overwatch_assets.demo import cast_lives
from overwatch_assets.demo.cluster_life import ClusterLife
from overwatch_assets.demo.company import Job, Notebook, Person, digits
from overwatch_assets.demo.job_runs import RUN_NOW, Ending, JobRun, Place, RunEnd, TaskRun
from overwatch_assets.demo.moment import as_of
from overwatch_assets.demo.notebook_paths import as_called, renamed_ms
from overwatch_assets.demo.queries import QUERIES
from overwatch_assets.demo.scene import HOUR_MS, MINUTE_MS, SECOND_MS, Scene, session, task_session
from overwatch_assets.demo.spark_driver import Driver, Trouble
from overwatch_assets.demo.world import Origin, SparkContext, StreamQuery

TROUBLES = (
    (Trouble.STRAGGLER, "store_sales"),
    (Trouble.FAILS, "daily_report"),
    (Trouble.LOST_EXECUTOR, "basket_join"),
    (Trouble.CANCELLED, "read_tills"),
    (Trouble.RETRIED, "merge_sales"),
    (Trouble.NONE, "count_rows"),
)
CHANCE_OF_TROUBLE = 0.06
USUAL = ("count_rows", "count_rows", "store_sales", "store_sales", "daily_report", "basket_join")
ASKED_BEFORE_MS = 8 * SECOND_MS
"""How long before the shared cluster is gone somebody asks for it, or it finds itself idle."""

FIRST_MINUTE, LAST_MINUTE = 8 * 60, 17 * 60 + 30

Step = tuple[int, Callable[[Driver, int], object]]


def interactive_days(scene: Scene) -> Iterator[SparkContext]:
    """Play every day; one context per start of the cluster."""
    cluster = scene.workspace.shared
    destination = cluster.log_destination or ""
    life, owner = cast_lives.found_shared(scene), cluster.owner
    edited = scene.at(0, 5, 10)
    scene.diary.cluster_edited(edited, cluster, owner, destination)
    life.edited(edited, edited + cast_lives.SOON_MS, life.spec, owner.email)
    restart_day = min(1, scene.days - 1)
    for day in range(scene.days):
        rng = scene.chance("shared", day)
        started = scene.at(day, 7, 30) + rng.randrange(20 * MINUTE_MS)
        stopped = scene.at(day, 18, 30) + rng.randrange(HOUR_MS)
        up = started - MINUTE_MS, started + 3 * MINUTE_MS
        steps = _steps(scene, day, rng)
        _around_the_day(scene, day, started, stopped)
        if day != restart_day:
            context = _context(scene, rng, (started, stopped), steps, destination)
            cast_lives.started(life, context, *up, owner)
            yield _lived(scene, life, context, day)
            continue
        restarted = scene.at(day, 12, 40)
        steps.append((restarted - 3 * SECOND_MS, _query(session(owner, rng), "merge_sales")))
        context = _context(scene, rng, (started, restarted), steps, destination)
        saved = restarted - 40 * SECOND_MS
        cast_lives.started(life, context, *up, owner)
        cast_lives.followed(life, context, saved)
        yield as_of(context, min(restarted, scene.until_ms))
        destination = f"{destination}/bi/"
        scene.diary.cluster_edited(saved, cluster, owner, destination)
        moved = replace(life.spec, log_destination=destination)
        life.edited(saved, saved + cast_lives.SOON_MS, moved, owner.email)
        up = restarted, restarted + 3 * MINUTE_MS
        scene.diary.cluster_asked(restarted, "restart", cluster, owner, up[1])
        context = _context(scene, rng, (restarted + 2 * MINUTE_MS, stopped), steps, destination)
        cast_lives.restarted(life, context, *up, owner)
        yield _lived(scene, life, context, day)


def _lived(scene: Scene, life: ClusterLife, context: SparkContext, day: int) -> SparkContext:
    """Return a context that goes on to the end of the day, having led the cluster there."""
    stopped = context.stopped_ms or scene.until_ms
    asked = stopped - ASKED_BEFORE_MS
    cast_lives.followed(life, context, asked)
    by = scene.workspace.people[0] if _is_stopped_by_hand(day) else None
    cast_lives.stopped(life, asked, stopped, by)
    return as_of(context, min(stopped, scene.until_ms))


def _context(
    scene: Scene,
    rng: random.Random,
    span: tuple[int, int],
    steps: list[Step],
    destination: str,
) -> SparkContext:
    started, stopped = span
    driver = Driver(scene.workspace.shared, rng, started)
    driver.scale_up(2, started + 9 * SECOND_MS)
    scaling: list[Step] = [
        (started + HOUR_MS, lambda of, at: of.scale_up(1, at)),
        (started + 4 * HOUR_MS, lambda of, at: of.scale_down(at)),
    ]
    for at_ms, act in sorted([*steps, *scaling], key=lambda step: step[0]):
        if started + MINUTE_MS <= at_ms < stopped:
            act(driver, at_ms)
    is_first_day = started < scene.at(1)
    return driver.context(
        destination, stopped, is_overlapping=not is_first_day, is_garbled=is_first_day
    )


def _is_stopped_by_hand(day: int) -> bool:
    return day % 2 == 0


def _steps(scene: Scene, day: int, rng: random.Random) -> list[Step]:
    """What people do with Spark on a day, at which times."""
    workspace = scene.workspace
    troubles = iter(TROUBLES if day == 0 else ())
    steps: list[Step] = []
    for person, notebook in zip(workspace.people, workspace.notebooks, strict=True):
        origin = replace(session(person, rng), notebook=notebook)
        for n in range(scene.times(8, least=2)):
            trouble, name = next(troubles, None) or _drawn(rng)
            at_ms = scene.at(day) + rng.randrange(FIRST_MINUTE * MINUTE_MS, LAST_MINUTE * MINUTE_MS)
            of_cell = replace(origin, job_group=f"{origin.job_group}{n}")
            steps.append((at_ms, _query(of_cell, name, trouble)))
    if day == 0:
        steps.append((scene.at(day, 9), _trial_stream(workspace.people[2], rng)))
    for job in workspace.jobs:
        if job.is_on_shared:
            steps += [
                (scene.at(day, 0, minute), _job_by_hand(scene, job, rng))
                for minute in job.start_minutes
            ]
    return steps


def _drawn(rng: random.Random) -> tuple[Trouble, str]:
    if rng.random() >= CHANCE_OF_TROUBLE:
        return Trouble.NONE, rng.choice(USUAL)
    return rng.choice(TROUBLES[:2])


def _query(
    origin: Origin, name: str, trouble: Trouble = Trouble.NONE
) -> Callable[[Driver, int], object]:
    def act(driver: Driver, at_ms: int) -> None:
        outcome = driver.run(QUERIES[name], origin, at_ms, trouble)
        if trouble is Trouble.LOST_EXECUTOR:
            driver.scale_up(1, outcome.ended_ms + 70 * SECOND_MS)

    return act


def _trial_stream(person: Person, rng: random.Random) -> Callable[[Driver, int], object]:
    origin = session(person, rng)

    def act(driver: Driver, at_ms: int) -> None:
        query = StreamQuery(
            query_id=session(person, rng).isolation_id,
            run_id=origin.isolation_id,
            name=None,
            started_ms=at_ms,
            terminated_ms=at_ms + 4 * MINUTE_MS,
        )
        triggers = [at_ms + n * MINUTE_MS for n in range(3)]
        of_query = replace(origin, job_group=query.run_id)
        driver.stream(query, QUERIES["stream_batch"], of_query, triggers)

    return act


def _job_by_hand(scene: Scene, job: Job, rng: random.Random) -> Callable[[Driver, int], object]:
    diary, cluster = scene.diary, scene.workspace.shared

    def act(driver: Driver, at_ms: int) -> None:
        run_id, clock = digits(rng, 14), at_ms + 2 * SECOND_MS
        by = scene.workspace.people[1]
        diary.run_asked(at_ms, job, run_id, by)
        tasks: list[TaskRun] = []
        for task in job.tasks:
            task_run, started = digits(rng, 14), clock
            diary.run_told(
                clock,
                "runStart",
                job,
                task_run,
                parent_run_id=run_id,
                task_key=task.key,
                cluster=cluster,
            )
            origin = task_session(job.owner, task, job.job_id, task_run, rng)
            for query in task.queries:
                clock = driver.run(query, origin, clock + SECOND_MS).ended_ms
            clock += SECOND_MS
            diary.run_told(
                clock,
                "runSucceeded",
                job,
                task_run,
                parent_run_id=run_id,
                task_key=task.key,
                cluster=cluster,
            )
            tasks.append(
                TaskRun(
                    run_id=task_run,
                    key=task.key,
                    kind="notebook",
                    place=Place.EXISTING,
                    cluster_id=cluster.cluster_id,
                    started_ms=started,
                    ended_ms=clock,
                    ending=Ending.SUCCEEDED,
                )
            )
        scene.ledger.all_runs.append(
            JobRun(
                run_id=run_id,
                job_id=job.job_id,
                name=job.name,
                asked=RUN_NOW,
                by=by,
                submitted_ms=at_ms,
                tasks=tuple(tasks),
                ends=(RunEnd(clock, Ending.SUCCEEDED),),
                has_echo=False,
            )
        )

    return act


def _around_the_day(scene: Scene, day: int, started: int, stopped: int) -> None:
    """What the audit log tells of the day: logins, the cluster, notebooks."""
    diary, workspace, rng = scene.diary, scene.workspace, scene.chance("around", day)
    cluster, people = workspace.shared, workspace.people
    for person in people:
        diary.logged_in(started - rng.randrange(5, 30) * MINUTE_MS, person)
        diary.logged_out(stopped - rng.randrange(1, 50) * MINUTE_MS, person)
    diary.cluster_asked(started - MINUTE_MS, "start", cluster, people[0], started + 3 * MINUTE_MS)
    for person, notebook in zip(people, workspace.notebooks, strict=True):
        at_ms = started + rng.randrange(3, 25) * MINUTE_MS
        called = as_called(scene, notebook, at_ms)
        diary.notebook_attached(at_ms, called, cluster, person)
    diary.logged_in_by_ssh(started + 31 * MINUTE_MS, people[1], "driver")
    if _is_stopped_by_hand(day):
        diary.cluster_asked(stopped - ASKED_BEFORE_MS, "delete", cluster, people[0], stopped)
    else:
        diary.cluster_expired(stopped, cluster)
    if day == 0:
        _first_day(scene, started)


def _first_day(scene: Scene, started: int) -> None:
    """What happens once: a notebook, clusters without logs or refused."""
    diary, workspace = scene.diary, scene.workspace
    people, silent = workspace.people, workspace.silent
    notebook: Notebook = workspace.notebooks[2]
    diary.notebook_created(started - 4 * MINUTE_MS, notebook)
    at_ms = renamed_ms(scene)
    diary.notebook_renamed(at_ms, notebook, as_called(scene, notebook, at_ms + 1).name)
    diary.cluster_refused(started + 55 * MINUTE_MS, silent, people[1])
    up = started + 60 * MINUTE_MS, started + 64 * MINUTE_MS
    down = started + 150 * MINUTE_MS, started + 151 * MINUTE_MS
    diary.cluster_created(up[0], silent, people[1], up[1])
    diary.cluster_asked(down[0], "delete", silent, people[1], down[1])
    context_id = str(digits(scene.chance("silent"), 19))
    life = cast_lives.created(scene, silent, context_id, up, people[1])
    cast_lives.stopped(life, *down, people[1])
    diary.note(
        started + 20 * MINUTE_MS,
        "accounts.addPrincipalToGroup",
        people[0],
        {
            "endpoint": "scim",
            "targetGroupId": 77,
            "targetGroupName": "analysts",
            "targetUserId": people[2].user_id,
            "targetUserName": people[2].email,
        },
    )
