"""The lives of the cast's clusters, which follow the Spark contexts that ran on them.

The requests and results stand in the scene's diary already; here is what lies between.
"""

from overwatch_assets.demo.cluster_life import ClusterLife, Version, reason
from overwatch_assets.demo.cluster_spec import spec_of
from overwatch_assets.demo.company import Cluster, Person, founded
from overwatch_assets.demo.scene import HOUR_MS, MINUTE_MS, SECOND_MS, Scene
from overwatch_assets.demo.world import SparkContext

SOON_MS = 250
BEFORE_RESULT_MS = 400
HEALTHY_MS = 1500
PROVISIONING_MS = 75 * SECOND_MS
DRAINING_MS = 20 * SECOND_MS
NOTICED_MS = 150
DAYS_BEFORE = 3
"""Days before the first one of which the API still tells what the shared cluster did."""


def found_shared(scene: Scene) -> ClusterLife:
    """Begin the life of the shared cluster, which is older than the audit log."""
    shared, by = scene.workspace.shared, scene.workspace.people[0].email
    created = round(founded(scene.first_day).timestamp() * SECOND_MS)
    life = _new_life(scene, shared, created)
    rng = scene.chance("shared", "before")
    life.creating(created + SOON_MS, str(rng.randrange(10**18, 10**19)), by)
    life.running(created + 4 * MINUTE_MS, shared.min_workers)
    life.terminating(created + 6 * HOUR_MS, created + 6 * HOUR_MS + MINUTE_MS, _unused())
    for day in range(-DAYS_BEFORE, 0):
        started, stopped = scene.at(day, 7, 45), scene.at(day, 18, 40)
        life.starting(started, str(rng.randrange(10**18, 10**19)), by)
        life.running(started + 4 * MINUTE_MS, shared.min_workers)
        life.terminating(stopped, stopped + SECOND_MS, _unused())
    return life


def started(
    life: ClusterLife, context: SparkContext, asked_ms: int, ready_ms: int, by: Person
) -> None:
    """The cluster is started and comes up."""
    life.starting(asked_ms + SOON_MS, context.context_id, by.email)
    _come_up(life, ready_ms)


def restarted(
    life: ClusterLife, context: SparkContext, asked_ms: int, ready_ms: int, by: Person
) -> None:
    """The cluster is restarted on the machines it has."""
    life.restarting(asked_ms + SOON_MS, context.context_id, by.email)
    _come_up(life, ready_ms)


def followed(life: ClusterLife, context: SparkContext, until_ms: int) -> None:
    """Workers come and go with the context's executors."""
    first = context.executors[: life.spec.min_workers]
    added = [(each.added_ms, 1, "") for each in context.executors if each not in first]
    removed = [
        (each.removed_ms, -1, each.removed_reason)
        for each in context.executors
        if each.removed_ms is not None
    ]
    for at_ms, change, why in sorted([*added, *removed]):
        if at_ms >= until_ms:
            break
        _changed(life, at_ms, change, is_lost=why.startswith("worker lost"))


def stopped(life: ClusterLife, asked_ms: int, done_ms: int, by: Person | None) -> None:
    """The cluster is terminated; by nobody: it was not used."""
    email = None if by is None else by.email
    why = _unused() if email is None else reason("USER_REQUEST", username=email)
    life.terminating(asked_ms + SOON_MS, done_ms, why, by=email)


def created(
    scene: Scene, cluster: Cluster, context_id: str, span: tuple[int, int], by: Person
) -> ClusterLife:
    """A cluster is created and comes up: at both ends of the span."""
    life = _new_life(scene, cluster, span[0])
    life.creating(span[0] + SOON_MS, context_id, by.email)
    _come_up(life, span[1])
    return life


def finished(life: ClusterLife, at_ms: int, done_ms: int) -> None:
    """A job cluster goes because its run is over."""
    life.terminating(at_ms, done_ms, reason("JOB_FINISHED"), run_name=life.spec.name)


def _new_life(scene: Scene, cluster: Cluster, created_ms: int) -> ClusterLife:
    versions = [Version(created_ms, spec_of(cluster))]
    life = ClusterLife(cluster.cluster_id, scene.workspace.region, versions)
    scene.ledger.all_lives.append(life)
    return life


def _come_up(life: ClusterLife, ready_ms: int) -> None:
    life.running(ready_ms - BEFORE_RESULT_MS, life.spec.min_workers)
    life.notice(ready_ms + HEALTHY_MS, "DRIVER_HEALTHY", {})


def _changed(life: ClusterLife, at_ms: int, change: int, *, is_lost: bool) -> None:
    current, target = life.last.current, life.last.target
    if is_lost:
        life.nodes_lost(at_ms + NOTICED_MS, current - 1)
        return
    notice_ms = PROVISIONING_MS if change > 0 else DRAINING_MS
    asked_ms = max(life.last.since_ms + 1, at_ms - notice_ms)
    cause = "AUTORECOVERY" if current < target else "AUTOSCALE"
    life.resizing(asked_ms, current + change, cause)
    done_ms = max(at_ms, asked_ms + 1)
    if change > 0:
        life.upsized(done_ms, current + change)
    else:
        life.decommissioned(done_ms, current + change)


def _unused() -> dict[str, object]:
    return reason("INACTIVITY", inactivity_duration_min="120")
