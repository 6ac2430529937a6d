"""Interactive clusters of every kind, with all that can happen to a cluster.

Each case plays alone, on days counted from 0; what lies beyond the last day is cut off by
whoever looks.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from overwatch_assets.demo.cluster_control import ClusterControl
from overwatch_assets.demo.cluster_life import Details
from overwatch_assets.demo.cluster_spec import ClusterSpec
from overwatch_assets.demo.policy_ids import policy_id
from overwatch_assets.demo.pool_cases import Pools
from overwatch_assets.demo.scene import MINUTE_MS, SECOND_MS, Scene

GB = 1 << 30
DISK: Details = {"previous_disk_size": 60 * GB, "disk_size": 120 * GB, "free_space": 9 * GB}
FULL_DISK: Details = {"disk_size": 120 * GB, "free_space": GB, "instance_id": "i-0abc1236"}
TROUBLES: tuple[tuple[str, Details], ...] = (
    ("DRIVER_NOT_RESPONDING", {"driver_state_message": "Driver is up but not responsive."}),
    ("DRIVER_UNAVAILABLE", {"driver_state_message": "Driver is unavailable."}),
    ("DRIVER_HEALTHY", {}),
    ("METASTORE_DOWN", {"driver_state_message": "Metastore is not reachable."}),
    ("DBFS_DOWN", {}),
    ("FAILED_TO_EXPAND_DISK", FULL_DISK),
    ("DID_NOT_EXPAND_DISK", {**FULL_DISK, "did_not_expand_reason": "MAX_SIZE"}),
    ("NODE_BLACKLISTED", {"enable_termination_for_node_blocklisted": True}),
    ("NODE_EXCLUDED_DECOMMISSIONED", {"instance_id": "i-0abc1237"}),
    ("AUTOSCALING_BACKOFF", {}),
    ("AUTOSCALING_FAILED", {}),
    ("AUTOMATIC_CLUSTER_UPDATE", {}),
    ("CLUSTER_MIGRATED", {}),
    ("UC_VOLUME_MISCONFIGURED", {}),
    ("DECOMMISSION_STARTED", {}),
    ("FEDERATION_LEASE_RENEWED", {"lease_seconds": 300}),
    ("SPARK_EXCEPTION", {"driver_state_message": "Spark context stopped."}),
)
"""Events that keep the state of their neighbours; no documentation knows the lease."""


@dataclass(frozen=True, slots=True)
class Clusters:
    """The clusters that jobs are sent to.

    Attributes:
        dashboards: Up on every day from 7 to 17:45.
        etl: Fixed size, older than the audit log.
        forgetful: Its first termination is lost; None: the workspace has none.
    """

    dashboards: ClusterControl
    etl: ClusterControl | None = None
    forgetful: ClusterControl | None = None


def cluster_cases(scene: Scene, pools: Pools) -> Clusters:
    """Play the cases; a small workspace has two of them."""
    dashboards = _dashboards(scene)
    _single_node(scene)
    if scene.workspace.size < 1:
        return Clusters(dashboards)
    etl, forgetful = _fixed_size(scene), _forgetful(scene)
    _burst(scene, pools)
    cases: tuple[Callable[[Scene], None], ...] = (
        _one_off,
        _steady,
        _forgotten,
        _pinned,
        _troubled,
        _never_up,
    )
    for case in cases:
        case(scene)
    return Clusters(dashboards, etl, forgetful)


def _spec(scene: Scene, name: str, workers: tuple[int, int], person: int = 0) -> ClusterSpec:
    return ClusterSpec(
        name=name,
        owner=scene.workspace.people[person],
        source="UI",
        node_type=scene.workspace.shared.node_type,
        min_workers=workers[0],
        max_workers=workers[1],
        tags={"team": "analytics"},
    )


def _dashboards(scene: Scene) -> ClusterControl:
    """Photon, spot, under a policy; scales every day, is edited and restarted on the second."""
    person, at = scene.workspace.people[1], scene.at
    spec = replace(
        _spec(scene, "bi-dashboards", (1, 6), 1),
        runtime_engine="PHOTON",
        availability="SPOT",
        policy_id=policy_id(scene.seed, scene.workspace.workspace_id, "bi-photon"),
    )
    control = ClusterControl(scene, "dashboards", spec, at(0, 6, 50))
    for day in range(scene.days):
        if day == 0:
            control.create(person, at(0, 6, 54))
        else:
            control.start(at(day, 6, 50), person, at(day, 6, 53))
        control.scale(at(day, 8, 5), 4, at(day, 8, 8))
        control.notice(at(day, 9, 30), "AUTOSCALING_STATS_REPORT")
        control.notice(at(day, 10, 10), "EXPANDED_DISK", DISK)
        control.lose(at(day, 11, 5), 3, at(day, 11, 9))
        if day == 0:
            control.life.pinned(at(0, 11, 15), person.email, is_pinned=True)
            control.share(at(0, 11, 20), person, scene.workspace.people[2])
        control.scale(at(day, 12), 2, at(day, 12, 1))
        if day == 1:
            control.life.pinned(at(1, 12, 10), person.email, is_pinned=False)
            control.edit(at(1, 12, 20), person, replace(spec, autotermination_minutes=60))
            control.restart(at(1, 12, 21), person, at(1, 12, 25), with_start=True)
            control.scale(at(1, 13), 3, at(1, 13, 2))
        control.scale(at(day, 16, 30), 1, at(day, 16, 31))
        control.expire(at(day, 17, 45), at(day, 17, 46))
        trailing = {"current_num_workers": 0, "target_num_workers": 1}
        control.notice(at(day, 17, 46) + 9 * SECOND_MS, "NODES_LOST", trailing)
        control.notice(at(day, 17, 46) + 14 * SECOND_MS, "EXPANDED_DISK", DISK)
    return control


def _single_node(scene: Scene) -> None:
    """Made through the API for one user, with an init script."""
    person, at = scene.workspace.people[2], scene.at
    spec = replace(
        _spec(scene, "ml-single", (0, 0), 2),
        source="API",
        node_type="c5d.2xlarge",
        single_user=person.email,
        init_script="/Shared/init/certificates.sh",
        policy_id=policy_id(scene.seed, scene.workspace.workspace_id, "personal-compute"),
    )
    control = ClusterControl(scene, "single", spec, at(0, 9))
    for day in range(scene.days):
        if day == 0:
            control.create(person, at(0, 9, 6))
        else:
            control.start(at(day, 9), person, at(day, 9, 5))
        control.stop(at(day, 17, 10), person, at(day, 17, 11))


def _fixed_size(scene: Scene) -> ClusterControl:
    """Older than the audit log and up when it begins; resized, stopped, edited, started."""
    people, at = scene.workspace.people, scene.at
    own = scene.workspace.shared.node_type
    larger = own.replace(".xlarge", ".2xlarge")
    spec = replace(
        _spec(scene, "etl-fixed", (4, 4)), driver_node_type=larger, availability="ON_DEMAND"
    )
    control = ClusterControl(scene, "fixed", spec, at(-25, 9))
    control.create(people[0], at(-25, 9, 5))
    control.stop(at(-25, 18), people[0], at(-25, 18, 1))
    control.start(at(-2, 8), people[0], at(-2, 8, 4))
    control.gap("running_since_before", at(0))
    control.resize(at(0, 10), people[1], 6, at(0, 10, 4))
    control.resize(at(1, 15), people[1], 3, at(1, 15, 2))
    control.stop(at(1, 19), people[0], at(1, 19, 1))
    control.edit(at(2, 7, 30), people[0], replace(control.life.spec, driver_node_type=own))
    control.start(at(2, 8), people[0], at(2, 8, 4))
    return control


def _burst(scene: Scene, pools: Pools) -> None:
    """On a pool; permanently deleted while it runs."""
    person, at = scene.workspace.people[2], scene.at
    pool = pools.burst
    spec = replace(
        _spec(scene, "gpu-burst", (1, 3), 2), node_type=pool.spec.node_type, pool_id=pool.pool_id
    )
    control = ClusterControl(scene, "burst", spec, at(0, 10))
    control.create(person, at(0, 10, 2))
    control.scale(at(0, 12), 3, at(0, 12, 1))
    control.stop(at(0, 15), person, at(0, 15, 1))
    control.start(at(1, 10), person, at(1, 10, 1))
    control.delete_for_good(at(1, 15, 30), person)


def _one_off(scene: Scene) -> None:
    """Stopped, and permanently deleted on the next day."""
    person, at = scene.workspace.people[1], scene.at
    control = ClusterControl(scene, "one-off", _spec(scene, "one-off", (1, 1), 1), at(0, 11))
    control.create(person, at(0, 11, 5))
    control.stop(at(0, 11, 40), person, at(0, 11, 41))
    control.delete_for_good(at(1, 8), person)


def _steady(scene: Scene) -> None:
    """Up since before the audit log, and no event in all the days: only snapshots show it."""
    person, at = scene.workspace.people[0], scene.at
    spec = replace(_spec(scene, "kiosk", (1, 1)), autotermination_minutes=0)
    control = ClusterControl(scene, "steady", spec, at(-20, 9))
    control.create(person, at(-20, 9, 5))
    control.gap("running_since_before", at(0))


def _forgotten(scene: Scene) -> None:
    """Terminated so long ago that the API forgets it on the second day."""
    person, at = scene.workspace.people[1], scene.at
    spec = _spec(scene, "old-experiments", (2, 2), 1)
    control = ClusterControl(scene, "forgotten", spec, at(-50, 9))
    control.create(person, at(-50, 9, 5))
    control.expire(at(-29, 5, 59), at(-29, 6))


def _pinned(scene: Scene) -> None:
    """Terminated still longer ago, known because it was pinned until the third day."""
    person, at = scene.workspace.people[0], scene.at
    control = ClusterControl(scene, "pinned", _spec(scene, "golden", (2, 8)), at(-55, 9))
    control.create(person, at(-55, 9, 5))
    control.life.pinned(at(-55, 10), person.email, is_pinned=True)
    control.stop(at(-45, 18), person, at(-45, 18, 1))
    control.life.pinned(at(2, 11), person.email, is_pinned=False)


def _troubled(scene: Scene) -> None:
    """Everything goes wrong with it until it dies."""
    person, at = scene.workspace.people[2], scene.at
    spec = _spec(scene, "troubled", (2, 5), 2)
    control = ClusterControl(scene, "troubled", spec, at(0, 13))
    control.create(person, at(0, 13, 4))
    for n, (kind, details) in enumerate(TROUBLES):
        control.notice(at(0, 13, 10 + 2 * n), kind, details)
    last = at(0, 13, 10 + 2 * len(TROUBLES))
    control.life.resizing(last, 5, "AUTOSCALE")
    control.life.upsized(last + 3 * MINUTE_MS, 3)
    control.notice(last + 4 * MINUTE_MS, "ADD_NODES_FAILED")
    control.lose(last + 6 * MINUTE_MS, 2, last + 9 * MINUTE_MS, "REPLACE_BAD_NODES")
    dead = last + 20 * MINUTE_MS
    control.fail(dead, dead + MINUTE_MS, "DRIVER_UNREACHABLE", "SERVICE_FAULT")


def _never_up(scene: Scene) -> None:
    """The cloud has no machines for it."""
    at = scene.at
    control = ClusterControl(
        scene, "never-up", _spec(scene, "no-capacity", (8, 8), 1), at(1, 9, 15)
    )
    control.create(scene.workspace.people[1], None)
    control.notice(at(1, 9, 20), "ADD_NODES_FAILED")
    control.fail(at(1, 9, 27), at(1, 9, 28), "CLOUD_PROVIDER_LAUNCH_FAILURE", "CLOUD_FAILURE")


def _forgetful(scene: Scene) -> ClusterControl:
    """Its first termination is lost; on the next day it is started as if nothing were."""
    person, at = scene.workspace.people[1], scene.at
    spec = _spec(scene, "forgetful", (2, 2), 1)
    control = ClusterControl(scene, "forgetful", spec, at(0, 14))
    control.create(person, at(0, 14, 5))
    control.expire(at(0, 17, 30), at(0, 17, 31), is_lost=True)
    control.start(at(1, 9), person, at(1, 9, 4))
    control.stop(at(1, 11), person, at(1, 11, 1))
    return control
