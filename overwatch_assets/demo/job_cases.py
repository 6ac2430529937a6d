"""Jobs of every kind, and runs with every ending.

Each case plays alone, on days counted from 0; what lies beyond the last day is cut off by
whoever looks.
"""

from collections.abc import Callable
from dataclasses import replace

from overwatch_assets.demo.cluster_cases import Clusters
from overwatch_assets.demo.cluster_control import ClusterControl
from overwatch_assets.demo.cluster_spec import LIGHT, ClusterSpec, audit_params, new_cluster
from overwatch_assets.demo.company import Person
from overwatch_assets.demo.job_control import JobControl, RunDraft
from overwatch_assets.demo.job_definitions import (
    Settings,
    TaskPlan,
    daily_cron,
    notebook_work,
    python_work,
    settings_of,
)
from overwatch_assets.demo.job_runs import RUN_NOW, SUBMIT, TRIGGERED, Ending, Place
from overwatch_assets.demo.policy_ids import policy_id
from overwatch_assets.demo.pool_cases import Pools
from overwatch_assets.demo.scene import MINUTE_MS, SECOND_MS, Scene

MAIN = "main"
BOOT_MS = 3 * MINUTE_MS
ASIDE_MS = 6 * SECOND_MS
"""How long after its submission a run on a new cluster starts: while that is being created."""

TAIL_MS = 14 * SECOND_MS


PIPELINE: dict[str, tuple[str, ...]] = {
    "bronze": (),
    "orders": ("bronze",),
    "stock": ("bronze",),
    "gold": ("orders", "stock"),
}
"""Tasks of the pipeline, and what each of them waits for."""


def job_cases(scene: Scene, clusters: Clusters, pools: Pools) -> None:
    """Play the cases; a small workspace has three of them."""
    _ingest(scene)
    _overlapping(scene, clusters)
    _submitted(scene, clusters)
    if scene.workspace.size < 1:
        return
    _pipeline(scene, pools)
    _cancelled(scene, clusters)
    _single_flight(scene, clusters)
    if clusters.etl is not None and clusters.forgetful is not None:
        _ledger_close(scene, clusters.etl)
        _on_forgetful(scene, clusters.forgetful)
    cases: tuple[Callable[[Scene], None], ...] = (
        _light,
        _midnight,
        _backfill,
        _timed_out,
        _not_launched,
        _archive,
        _changing,
    )
    for case in cases:
        case(scene)


def _job_spec(scene: Scene, owner: Person, workers: int) -> ClusterSpec:
    return ClusterSpec(
        name="",
        owner=owner,
        source="JOB",
        node_type=scene.workspace.shared.node_type,
        min_workers=workers,
        max_workers=workers,
        tags={"team": "data-platform"},
        autotermination_minutes=0,
        policy_id=policy_id(scene.seed, scene.workspace.workspace_id, "job-standard"),
    )


def _cluster_of(draft: RunDraft, key: str, spec: ClusterSpec, asked_ms: int) -> ClusterControl:
    """Make the cluster of a run, up three minutes later; `key` is the task's or the cluster's."""
    named = replace(spec, name=f"job-{draft.job_id}-run-{draft.run_id}-{key}")
    subject = f"{draft.subject}-{key}-{len(draft.repairs)}"
    control = ClusterControl(draft.scene, subject, named, asked_ms + 2 * SECOND_MS)
    control.create(spec.owner, asked_ms + BOOT_MS)
    return control


def _on_new_cluster(
    draft: RunDraft,
    key: str,
    spec: ClusterSpec,
    span: tuple[int, int],
    *,
    ending: Ending = Ending.SUCCEEDED,
    kind: str = "notebook",
    is_legacy: bool = False,
    is_lost: bool = False,
) -> None:
    """Play a run of one task on a cluster of its own, which goes when the task has ended."""
    ended = span[1]
    cluster = _cluster_of(draft, key, spec, draft.submitted_ms)
    cluster_id = cluster.life.cluster_id
    draft.task(key, span, Place.NEW, cluster_id, ending=ending, kind=kind, is_legacy=is_legacy)
    draft.end(ended + SECOND_MS, ending)
    cluster.finish(ended + TAIL_MS, ended + 2 * TAIL_MS, is_lost=is_lost)
    draft.keep(is_legacy=is_legacy)


def _on_existing(
    draft: RunDraft, cluster: ClusterControl, minutes: int, ending: Ending = Ending.SUCCEEDED
) -> RunDraft:
    """Play a run of one task on a cluster that is up; the caller keeps the draft."""
    started = draft.submitted_ms + 2 * SECOND_MS
    ended = started + minutes * MINUTE_MS
    draft.task(MAIN, (started, ended), Place.EXISTING, cluster.life.cluster_id, ending=ending)
    draft.end(ended + SECOND_MS, ending)
    return draft


def _new_cluster_task(key: str, path: str, spec: ClusterSpec, scene: Scene) -> TaskPlan:
    return TaskPlan(key, notebook_work(path), {"new_cluster": new_cluster(spec, scene.workspace)})


def _existing_task(cluster: ClusterControl, path: str) -> TaskPlan:
    return TaskPlan(MAIN, notebook_work(path), {"existing_cluster_id": cluster.life.cluster_id})


def _ingest(scene: Scene) -> None:
    """One task, Photon, on a cluster of its own, every six hours."""
    robot, rng = scene.workspace.robot, scene.chance("ingest")
    spec = replace(_job_spec(scene, robot, 2), spark_version="15.4.x-photon-scala2.12")
    control = JobControl(scene, "ingest", robot)
    task = _new_cluster_task(MAIN, "/Repos/production/ingest", spec, scene)
    control.define(scene.at(0, 0, 30), settings_of("ingest", [task], cron="0 15 1/6 * * ?"))
    for day in range(scene.days):
        for hour in range(1, 24, 6):
            asked = scene.at(day, hour, 15)
            draft = control.run(TRIGGERED, asked, robot)
            ended = asked + BOOT_MS + rng.randrange(6, 25) * MINUTE_MS
            _on_new_cluster(draft, MAIN, spec, (asked + ASIDE_MS, ended))


def _overlapping(scene: Scene, clusters: Clusters) -> None:
    """Three runs at once on the dashboards' cluster, every morning."""
    robot, rng, cluster = scene.workspace.robot, scene.chance("overlap"), clusters.dashboards
    control = JobControl(scene, "overlap", robot)
    task = _existing_task(cluster, "/Repos/production/refresh")
    cron = "0 0/10 9 * * ?"
    settings = settings_of("dashboard_refresh", [task], cron=cron, concurrent=4)
    control.define(scene.at(0, 6, 55), settings)
    for day in range(scene.days):
        for minute in (0, 10, 20):
            draft = control.run(TRIGGERED, scene.at(day, 9, minute), robot)
            _on_existing(draft, cluster, rng.randrange(25, 40)).keep()


def _submitted(scene: Scene, clusters: Clusters) -> None:
    """Runs without a job, sent through the API by a person: to both kinds of clusters."""
    person, rng = scene.workspace.people[2], scene.chance("submitted")
    cluster, spec = clusters.dashboards, _job_spec(scene, person, 1)
    work = python_work("dbfs:/jobs/export.py", "--full")
    there = TaskPlan(MAIN, work, {"existing_cluster_id": cluster.life.cluster_id})
    own = TaskPlan(MAIN, work, {"new_cluster": new_cluster(spec, scene.workspace)})
    for day in range(scene.days):
        asked = scene.at(day, 10, 5)
        control = JobControl(scene, f"submitted there {day}", person)
        request = _request(there)
        draft = control.run(SUBMIT, asked, person, name="adhoc_export", request=request)
        _on_existing(draft, cluster, rng.randrange(12, 22)).keep()
        asked = scene.at(day, 16, 0)
        control = JobControl(scene, f"submitted own {day}", person)
        draft = control.run(SUBMIT, asked, person, name="adhoc_backup", request=_request(own))
        span = asked + ASIDE_MS, asked + 19 * MINUTE_MS
        _on_new_cluster(draft, MAIN, spec, span, kind="python")


def _request(task: TaskPlan) -> Settings:
    return {"tasks": [task.as_object()], "timeout_seconds": 3600}


def _pipeline(scene: Scene, pools: Pools) -> None:
    """Four tasks on a shared job cluster from pools, two at once; some fail and are repaired."""
    robot, person = scene.workspace.robot, scene.workspace.people[0]
    spec = replace(
        _job_spec(scene, robot, 1),
        max_workers=4,
        pool_id=pools.warm.pool_id,
        driver_pool_id=pools.drivers.pool_id,
        driver_node_type=pools.drivers.spec.node_type,
    )
    place = {"job_cluster_key": "etl"}
    tasks = (
        TaskPlan(key, notebook_work(f"/Repos/production/pipeline/{key}"), place, needs)
        for key, needs in PIPELINE.items()
    )
    control = JobControl(scene, "pipeline", robot)
    clusters = {"etl": new_cluster(spec, scene.workspace)}
    settings = settings_of("orders_pipeline", tasks, clusters=clusters, cron=daily_cron(190))
    control.define(scene.at(0, 0, 40), settings)
    for day in range(scene.days):
        draft = control.run(TRIGGERED, scene.at(day, 3, 10), robot)
        failing = {0: "stock", 1: "gold"}.get(day)
        _play_pipeline(draft, spec, draft.submitted_ms, tuple(PIPELINE), failing)
        if day == 0:
            draft.repair(scene.at(0, 5), person, "stock", "gold")
            _play_pipeline(draft, spec, scene.at(0, 5), ("stock", "gold"))
        if day == 1:
            draft.repair(scene.at(2, 9, 30), person, "gold")
            _play_pipeline(draft, spec, scene.at(2, 9, 30), ("gold",))
        draft.keep()


def _play_pipeline(
    draft: RunDraft,
    spec: ClusterSpec,
    asked_ms: int,
    keys: tuple[str, ...],
    failing: str | None = None,
) -> None:
    """Run tasks as their dependencies end; what depends on a failed one does not start."""
    rng = draft.scene.chance("pipeline", draft.subject, len(draft.repairs))
    cluster = _cluster_of(draft, "etl", spec, asked_ms)
    ready = asked_ms + BOOT_MS + 5 * SECOND_MS
    ended: dict[str, int] = {}
    for key in keys:
        needs = PIPELINE[key]
        if failing in needs:
            continue
        started = max([ready, *(ended[each] + SECOND_MS for each in needs if each in ended)])
        ended[key] = started + rng.randrange(6 * MINUTE_MS, 14 * MINUTE_MS)
        ending = Ending.FAILED if key == failing else Ending.SUCCEEDED
        span, cluster_id = (started, ended[key]), cluster.life.cluster_id
        draft.task(key, span, Place.JOB_CLUSTER, cluster_id, ending=ending, depends_on=needs)
    last = max(ended.values())
    cluster.scale(ready + MINUTE_MS, 3, ready + 2 * MINUTE_MS)
    cluster.scale(ready + 5 * MINUTE_MS, 2, ready + 5 * MINUTE_MS + 20 * SECOND_MS)
    draft.end(last + SECOND_MS, Ending.SUCCEEDED if failing is None else Ending.FAILED)
    cluster.finish(last + TAIL_MS, last + 2 * TAIL_MS)


def _cancelled(scene: Scene, clusters: Clusters) -> None:
    """Cancelled runs: one as it should be, two whose end is lost, one cancelled too late."""
    robot, person, cluster = scene.workspace.robot, scene.workspace.people[0], clusters.dashboards
    control = JobControl(scene, "cancelled", robot)
    task = _existing_task(cluster, "/Repos/production/score_customers")
    control.define(scene.at(0, 7, 40), settings_of("score_customers", [task], concurrent=3))
    starts = (scene.at(0, 10, 30), scene.at(0, 13, 30), scene.at(1, 10, 30), scene.at(1, 14))
    for n, asked in enumerate(starts):
        request = {"notebook_params": {"customers": "all", "attempt": str(n)}}
        draft = control.run(RUN_NOW, asked, person, request=request)
        cancelled = asked + 20 * MINUTE_MS
        if n == len(starts) - 1:
            _on_existing(draft, cluster, 15).cancel(cancelled, person)
            draft.keep()
            continue
        draft.cancel(cancelled, person)
        ended = cancelled + 40 * SECOND_MS
        span, cluster_id = (asked + 2 * SECOND_MS, ended), cluster.life.cluster_id
        ending, is_told = Ending.CANCELED, n == 0
        draft.task(MAIN, span, Place.EXISTING, cluster_id, ending=ending, is_end_told=is_told)
        draft.end(ended + SECOND_MS, ending)
        draft.keep(has_echo=n != len(starts) - 2)


def _single_flight(scene: Scene, clusters: Clusters) -> None:
    """One run at a time: the next one is skipped before it starts."""
    robot, cluster = scene.workspace.robot, clusters.dashboards
    control = JobControl(scene, "single flight", robot)
    task = _existing_task(cluster, "/Repos/production/totals")
    settings = settings_of("totals", [task], cron="0 0/20 15 * * ?")
    control.define(scene.at(0, 7, 45), settings)
    for day in range(scene.days):
        asked = scene.at(day, 15)
        _on_existing(control.run(TRIGGERED, asked, robot), cluster, 26).keep()
        skipped = scene.at(day, 15, 20)
        draft = control.run(TRIGGERED, skipped, robot)
        span = None, skipped + SECOND_MS
        draft.task(MAIN, span, Place.EXISTING, None, ending=Ending.SKIPPED)
        draft.end(skipped + SECOND_MS + 200, Ending.SKIPPED)
        draft.keep()


def _ledger_close(scene: Scene, cluster: ClusterControl) -> None:
    """A job older than the audit log, one of whose runs began before it, too."""
    robot = scene.workspace.robot
    control = JobControl(scene, "ledger", robot)
    task = _existing_task(cluster, "/Repos/production/ledger_close")
    settings = settings_of("ledger_close", [task], cron=daily_cron(22 * 60))
    control.define(scene.at(-45, 8), settings)
    draft = control.run(TRIGGERED, scene.at(-1, 22), robot)
    _on_existing(draft, cluster, 315)
    draft.gap("started_before", draft.tasks[0].run_id, scene.at(0))
    draft.keep()
    for day in range(scene.days):
        draft = control.run(TRIGGERED, scene.at(day, 13), robot)
        _on_existing(draft, cluster, 40).keep()


def _on_forgetful(scene: Scene, cluster: ClusterControl) -> None:
    """The last sign of life of the cluster whose termination is lost."""
    person = scene.workspace.people[1]
    control = JobControl(scene, "forgetful", person)
    task = _existing_task(cluster, f"/Users/{person.email}/compare")
    control.define(scene.at(0, 14, 20), settings_of("compare", [task]))
    _on_existing(control.run(RUN_NOW, scene.at(0, 14, 30), person), cluster, 40).keep()


def _light(scene: Scene) -> None:
    """Without task structure, on the light runtime; one termination is lost."""
    robot = scene.workspace.robot
    spec = replace(_job_spec(scene, robot, 1), spark_version=LIGHT)
    control = JobControl(scene, "light", robot)
    settings = {
        "name": "light_export",
        "format": "SINGLE_TASK",
        "max_concurrent_runs": 1,
        "timeout_seconds": 0,
        "new_cluster": new_cluster(spec, scene.workspace),
        **python_work("dbfs:/jobs/light_export.py"),
    }
    control.define(scene.at(0, 0, 45), settings)
    for day in range(scene.days):
        asked = scene.at(day, 1, 20)
        draft = control.run(TRIGGERED, asked, robot)
        span = asked + BOOT_MS + 2 * SECOND_MS, asked + 21 * MINUTE_MS
        _on_new_cluster(draft, MAIN, spec, span, kind="python", is_legacy=True, is_lost=day == 1)


def _midnight(scene: Scene) -> None:
    """Two tasks with nothing between them at midnight: the second starts on the next day."""
    robot = scene.workspace.robot
    spec = _job_spec(scene, robot, 2)
    place = {"job_cluster_key": "night"}
    plans = (
        TaskPlan("compact", notebook_work("/Repos/production/compact"), place),
        TaskPlan("vacuum", notebook_work("/Repos/production/vacuum"), place, ("compact",)),
    )
    control = JobControl(scene, "midnight", robot)
    clusters = {"night": new_cluster(spec, scene.workspace)}
    settings = settings_of("compaction", plans, clusters=clusters, cron=daily_cron(23 * 60 + 10))
    control.define(scene.at(0, 0, 50), settings)
    for day in range(scene.days):
        asked, next_day = scene.at(day, 23, 10), scene.at(day + 1)
        draft = control.run(TRIGGERED, asked, robot)
        cluster = _cluster_of(draft, "night", spec, asked)
        cluster_id = cluster.life.cluster_id
        compact = asked + BOOT_MS + 5 * SECOND_MS, next_day - 9 * MINUTE_MS
        vacuum = next_day + 4 * MINUTE_MS, next_day + 31 * MINUTE_MS
        draft.task("compact", compact, Place.JOB_CLUSTER, cluster_id)
        draft.task("vacuum", vacuum, Place.JOB_CLUSTER, cluster_id, depends_on=("compact",))
        draft.end(vacuum[1] + SECOND_MS)
        cluster.finish(vacuum[1] + TAIL_MS, vacuum[1] + 2 * TAIL_MS)
        draft.keep()


def _backfill(scene: Scene) -> None:
    """A run over days."""
    person = scene.workspace.people[1]
    spec = _job_spec(scene, person, 3)
    control = JobControl(scene, "backfill", person)
    task = _new_cluster_task(MAIN, f"/Users/{person.email}/backfill", spec, scene)
    control.define(scene.at(0, 12, 50), settings_of("history_backfill", [task]))
    asked = scene.at(0, 13)
    draft = control.run(RUN_NOW, asked, person)
    _on_new_cluster(draft, MAIN, spec, (asked + ASIDE_MS, scene.at(2, 15, 20)))


def _timed_out(scene: Scene) -> None:
    """Ended by its timeout, on the first day only; a schedule asks again every day."""
    robot = scene.workspace.robot
    spec = _job_spec(scene, robot, 0)
    control = JobControl(scene, "strict", robot)
    task = _new_cluster_task(MAIN, "/Repos/production/strict_report", spec, scene)
    settings = settings_of("strict_report", [task], cron=daily_cron(14 * 60), timeout_seconds=1800)
    control.define(scene.at(0, 0, 55), settings)
    for day in range(scene.days):
        asked = scene.at(day, 14)
        ending, minutes = (Ending.TIMED_OUT, 30) if day == 0 else (Ending.SUCCEEDED, 17)
        span = asked + ASIDE_MS, asked + minutes * MINUTE_MS + 2 * SECOND_MS
        _on_new_cluster(control.run(TRIGGERED, asked, robot), MAIN, spec, span, ending=ending)


def _not_launched(scene: Scene) -> None:
    """Its cluster is refused, so it fails before it starts."""
    person, asked = scene.workspace.people[0], scene.at(0, 15, 45)
    spec = _job_spec(scene, person, 200)
    control = JobControl(scene, "huge", person)
    task = _new_cluster_task(MAIN, f"/Users/{person.email}/huge", spec, scene)
    control.define(scene.at(0, 15, 40), settings_of("huge_join", [task]))
    draft = control.run(RUN_NOW, asked, person)
    named = replace(spec, name=f"job-{draft.job_id}-run-{draft.run_id}-{MAIN}")
    draft.diary.note(
        asked + 2 * SECOND_MS,
        "clusters.create",
        person,
        audit_params(named, scene.workspace),
        status=400,
        error="QUOTA_EXCEEDED: the account may not use more cores of this type",
    )
    failed = asked + 4 * SECOND_MS
    draft.task(MAIN, (None, failed), Place.NEW, None, ending=Ending.INTERNAL_ERROR)
    draft.end(failed + SECOND_MS, Ending.INTERNAL_ERROR)
    draft.keep()


def _archive(scene: Scene) -> None:
    """A job older than the audit log that nobody runs: only snapshots know it."""
    robot = scene.workspace.robot
    spec = _job_spec(scene, robot, 1)
    control = JobControl(scene, "archive", robot)
    task = _new_cluster_task(MAIN, "/Repos/production/archive", spec, scene)
    control.define(scene.at(-50, 10), settings_of("legacy_archive", [task]))


def _changing(scene: Scene) -> None:
    """Defined, updated, shared, reset and deleted, with a run before and after."""
    people, at = scene.workspace.people, scene.at
    owner = people[2]
    spec = _job_spec(scene, owner, 1)
    first = _new_cluster_task(MAIN, f"/Users/{owner.email}/promo", spec, scene)
    control = JobControl(scene, "changing", owner)
    control.define(at(0, 8), settings_of("promo_model", [first], cron=daily_cron(510)))

    def runs(asked_ms: int) -> None:
        draft = control.run(RUN_NOW, asked_ms, owner)
        _on_new_cluster(draft, MAIN, spec, (asked_ms + ASIDE_MS, asked_ms + 12 * MINUTE_MS))

    runs(at(0, 8, 30))
    tags = {"tags": {"team": "pricing", "tier": "gold"}, "timeout_seconds": 7200}
    control.update(at(0, 12), people[1], tags, ["schedule"])
    control.change_acl(at(0, 13), owner, people[0])
    second = TaskPlan("check", notebook_work(f"/Users/{owner.email}/check"), depends_on=(MAIN,))
    control.update(at(1, 9), owner, {"tasks": [second.as_object()]})
    control.reset(at(1, 10), people[0], settings_of("promo_model_v2", [first], concurrent=2))
    control.reset_acl(at(1, 11), people[0], people[1])
    runs(at(1, 11, 30))
    control.delete(at(2, 9), people[0])
