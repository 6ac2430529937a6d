"""The company's many ordinary jobs, as many as the scale wants, played anew whenever asked for.

Much of a large world comes from here, so nothing of a run is held: its chance is its own, and who
wants its audit actions, its cluster or its record plays it again. Per workspace and unit of scale:
one job with clusters of its own twice a day, and two jobs every hour on an all-purpose cluster,
watched by a program that logs in every minute.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from overwatch_assets.demo.audit_diary import AuditDiary
from overwatch_assets.demo.cluster_control import ClusterControl
from overwatch_assets.demo.cluster_life import ClusterLife
from overwatch_assets.demo.cluster_spec import ClusterSpec, new_cluster
from overwatch_assets.demo.company import digits
from overwatch_assets.demo.job_control import JobControl
from overwatch_assets.demo.job_definitions import (
    JobDefinition,
    TaskPlan,
    notebook_work,
    settings_of,
)
from overwatch_assets.demo.job_runs import TRIGGERED, Ending, JobRun, Place, RunEnd, TaskRun
from overwatch_assets.demo.run_notes import note_run
from overwatch_assets.demo.scene import HOUR_MS, MINUTE_MS, SECOND_MS, Scene
from overwatch_assets.demo.timeline import Replayed
from overwatch_assets.demo.world import AuditAction

HOSTED_PER_SCALE, OWN_PER_SCALE, HOSTED_PER_HOST = 2, 1, 20
EVERY_MINUTES = 60
HOSTED_FROM, HOSTED_UNTIL = 40, 23 * 60
"""Minutes of the day between which jobs on all-purpose clusters begin."""

OWN_HOURS = (2, 14)
WATCH_MS = MINUTE_MS
FAILING = 0.03
MAIN = "main"


@dataclass(frozen=True, slots=True)
class Member:
    """A job of the fleet; `host` None: it has clusters of its own."""

    number: int
    job: JobDefinition
    spec: ClusterSpec
    host: str | None


@dataclass(frozen=True, slots=True)
class Fleet:
    """The jobs of the fleet and all that they do."""

    scene: Scene
    members: tuple[Member, ...]

    def jobs(self) -> Iterator[JobDefinition]:
        """Yield the definitions of jobs."""
        return (member.job for member in self.members)

    def lives(self) -> Iterator[ClusterLife]:
        """Yield the lives of the clusters that were made for runs."""
        for member in self.members:
            if member.host is None:
                for at_ms in _starts(self.scene, member):
                    yield _play_own(self.scene, member, at_ms)[1].life

    def runs(self) -> Iterator[JobRun]:
        """Yield the runs."""
        for member in self.members:
            for at_ms in _starts(self.scene, member):
                if member.host is None:
                    yield _play_own(self.scene, member, at_ms)[2]
                else:
                    yield _play_hosted(self.scene, member, member.host, at_ms)

    def actions(self) -> tuple[Replayed, ...]:
        """Return each member's audit actions, in the order of time, made as they are read."""

        def of(member: Member) -> Replayed:
            return Replayed(lambda: _actions(self.scene, member))

        return tuple(of(member) for member in self.members)


def found_fleet(scene: Scene, scale: float) -> Fleet:
    """Define the jobs and let the all-purpose clusters live."""
    hosted, own = (max(1, round(scale * each)) for each in (HOSTED_PER_SCALE, OWN_PER_SCALE))
    hosts = [_host(scene, n) for n in range(-(-hosted // HOSTED_PER_HOST))]
    members = [_member(scene, n, hosts[n // HOSTED_PER_HOST]) for n in range(hosted)]
    members += [_member(scene, n, None) for n in range(own)]
    return Fleet(scene, tuple(members))


def _host(scene: Scene, n: int) -> ClusterControl:
    """An all-purpose cluster that works almost round the clock."""
    owner = scene.workspace.people[n % len(scene.workspace.people)]
    spec = replace(
        _spec(scene, 3, 6),
        name=f"fleet-{n}",
        owner=owner,
        source="UI",
        autotermination_minutes=30,
        runtime_engine="PHOTON" if n % 2 else None,
    )
    control, rng = (
        ClusterControl(scene, f"fleet {n}", spec, scene.at(0, 0, 20)),
        scene.chance("fleet host", n),
    )
    for day in range(scene.days):
        begun, ready = scene.at(day, 0, 20), scene.at(day, 0, 25)
        if day == 0:
            control.create(owner, ready)
        else:
            control.start(begun, owner, ready)
        for hour in range(2, 22, 4):
            up = scene.at(day, hour) + rng.randrange(HOUR_MS)
            control.scale(up, rng.randrange(4, 7), up + 2 * MINUTE_MS)
            control.scale(up + 2 * HOUR_MS, 3, up + 2 * HOUR_MS + 30 * SECOND_MS)
        control.expire(scene.at(day, 23, 40), scene.at(day, 23, 41))
    return control


def _spec(scene: Scene, workers: int, most: int) -> ClusterSpec:
    return ClusterSpec(
        name="",
        owner=scene.workspace.robot,
        source="JOB",
        node_type=scene.workspace.shared.node_type,
        min_workers=workers,
        max_workers=most,
        tags={"team": "fleet"},
        autotermination_minutes=0,
    )


def _member(scene: Scene, n: int, host: ClusterControl | None) -> Member:
    kind = "own" if host is None else "hosted"
    spec = _spec(scene, 1 + n % 4, 1 + n % 4)
    if host is None:
        place = {"new_cluster": new_cluster(spec, scene.workspace)}
        cron = f"0 0 {','.join(map(str, OWN_HOURS))} * * ?"
    else:
        place = {"existing_cluster_id": host.life.cluster_id}
        cron = "0 0 * * * ?"
    control = JobControl(scene, f"fleet {kind} {n}", scene.workspace.robot)
    task = TaskPlan(MAIN, notebook_work(f"/Repos/fleet/{kind}_{n}"), place)
    settings = settings_of(f"fleet_{kind}_{n}", [task], cron=cron)
    at_ms = scene.at(0, 0, 30) + n % 500
    job = control.define(at_ms, settings, is_kept=False)
    return Member(n, job, spec, None if host is None else host.life.cluster_id)


def _starts(scene: Scene, member: Member) -> Iterator[int]:
    """Yield when the runs of a member are triggered."""
    if member.host is None:
        offset = (member.number * 7) % 60
        minutes = [hour * 60 + offset for hour in OWN_HOURS]
    else:
        offset = (member.number * 7) % EVERY_MINUTES
        minutes = list(range(HOSTED_FROM + offset, HOSTED_UNTIL, EVERY_MINUTES))
    for day in range(scene.days):
        for minute in minutes:
            yield scene.at(day, 0, minute)


def _actions(scene: Scene, member: Member) -> Iterator[AuditAction]:
    for at_ms in _starts(scene, member):
        if member.host is None:
            yield from _in_order(_play_own(scene, member, at_ms)[0])
        else:
            run = _play_hosted(scene, member, member.host, at_ms)
            yield from _watched(scene, run)


def _watched(scene: Scene, run: JobRun) -> Iterator[AuditAction]:
    """The actions of a run, and of the program that waits for its end."""
    diary = AuditDiary(scene.workspace, scene.chance("fleet diary", run.run_id))
    note_run(diary, run)
    for at_ms in range(run.submitted_ms + WATCH_MS, run.ends[0].at_ms, WATCH_MS):
        diary.logged_in(at_ms, run.by)
    return iter(diary.actions(scene.until_ms))


def _in_order(stage: Scene) -> Iterator[AuditAction]:
    actions = [action for diary in stage.diaries for action in diary.actions(stage.until_ms)]
    return iter(sorted(actions, key=lambda action: action.at_ms))


def _play_hosted(scene: Scene, member: Member, host: str, at_ms: int) -> JobRun:
    rng = scene.chance("fleet run", "hosted", member.number, at_ms)
    started = at_ms + rng.randrange(900, 4000)
    ended = started + rng.randrange(4 * MINUTE_MS, 18 * MINUTE_MS)
    run_id, task_id = digits(rng, 14), digits(rng, 14)
    ending = Ending.FAILED if rng.random() < FAILING else Ending.SUCCEEDED
    task = TaskRun(
        run_id=task_id,
        key=MAIN,
        kind="notebook",
        place=Place.EXISTING,
        cluster_id=host,
        started_ms=started,
        ended_ms=ended,
        ending=ending,
    )
    return _run(member, run_id, at_ms, task)


def _play_own(scene: Scene, member: Member, at_ms: int) -> tuple[Scene, ClusterControl, JobRun]:
    """Play a run on a stage of its own, with its cluster."""
    stage = replace(scene, ledger=type(scene.ledger)(), diaries=[])
    subject = f"fleet own {member.number} {at_ms}"
    rng = stage.chance(subject)
    run_id, task_id = digits(rng, 14), digits(rng, 14)
    spec = replace(member.spec, name=f"job-{member.job.job_id}-run-{run_id}-{MAIN}")
    cluster = ClusterControl(stage, subject, spec, at_ms + 2 * SECOND_MS)
    cluster.create(spec.owner, at_ms + rng.randrange(150, 260) * SECOND_MS)
    started = at_ms + 6 * SECOND_MS
    ended = started + rng.randrange(8 * MINUTE_MS, 50 * MINUTE_MS)
    cluster.finish(ended + 12 * SECOND_MS, ended + 30 * SECOND_MS)
    ending = Ending.FAILED if rng.random() < FAILING else Ending.SUCCEEDED
    task = TaskRun(
        run_id=task_id,
        key=MAIN,
        kind="notebook",
        place=Place.NEW,
        cluster_id=cluster.life.cluster_id,
        started_ms=started,
        ended_ms=ended,
        ending=ending,
    )
    run = _run(member, run_id, at_ms, task)
    note_run(stage.diary_of(subject, "run"), run)
    return stage, cluster, run


def _run(member: Member, run_id: int, at_ms: int, task: TaskRun) -> JobRun:
    ended_ms, ending = task.ended_ms or at_ms, task.ending or Ending.FAILED
    return JobRun(
        run_id=run_id,
        job_id=member.job.job_id,
        name=member.job.name,
        asked=TRIGGERED,
        by=member.job.creator,
        submitted_ms=at_ms,
        tasks=(task,),
        ends=(RunEnd(ended_ms + SECOND_MS, ending),),
    )
