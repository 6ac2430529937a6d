"""Every case that a reader of compute telemetry meets is there in the default world."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from overwatch_assets.demo.cluster_life import ClusterLife
from overwatch_assets.demo.cluster_spec import LIGHT, ClusterSpec
from overwatch_assets.demo.job_runs import RUN_NOW, SUBMIT, TRIGGERED, Ending, JobRun, Place
from overwatch_assets.demo.ledger import WorkspaceCompute
from overwatch_assets.demo.world import AuditAction, World
from overwatch_assets_tests.demo.compute_reading import Said, api_of, named

DAY_MS = 86_400_000
PROD = "tidewater-prod"
DOCUMENTED = {
    "CREATING",
    "STARTING",
    "RESTARTING",
    "INIT_SCRIPTS_STARTED",
    "INIT_SCRIPTS_FINISHED",
    "RUNNING",
    "RESIZING",
    "UPSIZE_COMPLETED",
    "NODES_LOST",
    "EDITED",
    "TERMINATING",
    "DRIVER_HEALTHY",
    "DRIVER_NOT_RESPONDING",
    "DRIVER_UNAVAILABLE",
    "EXPANDED_DISK",
    "FAILED_TO_EXPAND_DISK",
    "DID_NOT_EXPAND_DISK",
    "SPARK_EXCEPTION",
    "METASTORE_DOWN",
    "DBFS_DOWN",
    "NODE_BLACKLISTED",
    "NODE_EXCLUDED_DECOMMISSIONED",
    "ADD_NODES_FAILED",
    "AUTOSCALING_STATS_REPORT",
    "AUTOSCALING_BACKOFF",
    "AUTOSCALING_FAILED",
    "AUTOMATIC_CLUSTER_UPDATE",
    "CLUSTER_MIGRATED",
    "DECOMMISSION_STARTED",
    "DECOMMISSION_ENDED",
    "PINNED",
    "UNPINNED",
    "UC_VOLUME_MISCONFIGURED",
}


@pytest.fixture
def compute(world: World) -> WorkspaceCompute:
    return named(world, PROD).compute


@pytest.fixture
def lives(world: World, compute: WorkspaceCompute) -> list[ClusterLife]:
    return [each for each in compute.lives() if each.created_ms < world.until_ms]


@pytest.fixture
def runs(world: World, compute: WorkspaceCompute) -> list[JobRun]:
    return [each for each in compute.runs() if each.submitted_ms < world.until_ms]


def test_three_workspaces_of_which_one_is_smaller(world: World) -> None:
    rows = [len(list(each.actions)) for each in world.workspaces]
    assert len(rows) == 3
    assert rows[2] < min(rows[:2])


def test_every_documented_type_of_event_and_one_unknown(truths: dict[str, Said]) -> None:
    days = truths[PROD]["cluster_events"].values()
    told = {kind for day in days for kind in day}
    assert told == DOCUMENTED | {"FEDERATION_LEASE_RENEWED"}


def test_every_cause_of_a_resize(lives: list[ClusterLife]) -> None:
    resizes = [event for life in lives for event in life.events if event.type == "RESIZING"]
    causes = {event.details["cause"] for event in resizes}
    assert causes == {"AUTOSCALE", "USER_REQUEST", "AUTORECOVERY", "REPLACE_BAD_NODES"}
    grows = {
        int(str(event.details["target_num_workers"]))
        > int(str(event.details["current_num_workers"]))
        for event in resizes
    }
    assert grows == {True, False}


SPECS: dict[str, Callable[[ClusterSpec], bool]] = {
    "autoscaling": lambda spec: spec.is_autoscaling,
    "of fixed size": lambda spec: 0 < spec.min_workers == spec.max_workers,
    "single node": lambda spec: spec.is_single_node,
    "Photon by its engine": lambda spec: spec.runtime_engine == "PHOTON",
    "Photon by its runtime": lambda spec: "-photon-" in spec.spark_version,
    "Photon for a job": lambda spec: spec.is_photon and spec.source == "JOB",
    "on spot machines alone": lambda spec: spec.availability == "SPOT",
    "on demand": lambda spec: spec.availability == "ON_DEMAND",
    "on a pool": lambda spec: spec.pool_id is not None,
    "with the driver on another pool": lambda spec: spec.driver_pool_id is not None,
    "under a policy": lambda spec: spec.policy_id is not None,
    "of one user": lambda spec: spec.single_user is not None,
    "with another driver": lambda spec: spec.driver_type != spec.node_type,
    "of the light runtime": lambda spec: spec.spark_version == LIGHT,
    "by the API": lambda spec: spec.source == "API",
    "by the UI": lambda spec: spec.source == "UI",
    "for a job": lambda spec: spec.source == "JOB",
}


@pytest.mark.parametrize("kind", SPECS)
def test_there_are_clusters(kind: str, lives: list[ClusterLife]) -> None:
    assert any(SPECS[kind](version.spec) for life in lives for version in life.versions)


@pytest.mark.parametrize(
    "code",
    [
        "USER_REQUEST",
        "INACTIVITY",
        "JOB_FINISHED",
        "DRIVER_UNREACHABLE",
        "CLOUD_PROVIDER_LAUNCH_FAILURE",
    ],
)
def test_clusters_terminate_for_every_reason(code: str, lives: list[ClusterLife]) -> None:
    assert any(stop.reason["code"] == code for life in lives for stop in life.stops)


def test_clusters_older_than_the_audit_log(world: World, lives: list[ClusterLife]) -> None:
    old = [life for life in lives if life.created_ms < world.since_ms]
    still = [life for life in old if (phase := life.phase_at(world.since_ms)) and phase.is_running]
    assert {life.spec.name for life in still} == {"etl-fixed", "kiosk"}
    silent = [life for life in still if life.events[-1].at_ms < world.since_ms]
    assert [life.spec.name for life in silent] == ["kiosk"]


def test_a_cluster_deleted_while_running_and_one_deleted_afterwards(
    world: World, lives: list[ClusterLife]
) -> None:
    deleted = [life for life in lives if life.deleted_ms is not None]
    were_running = sorted(life.last.is_running for life in deleted)
    assert were_running == [False, True]
    assert all((life.deleted_ms or 0) < world.until_ms for life in deleted)


def test_a_cluster_is_restarted_on_its_machines_and_one_as_if_started(
    lives: list[ClusterLife],
) -> None:
    after = [
        life.events[n + 1].type
        for life in lives
        for n, event in enumerate(life.events)
        if event.type == "RESTARTING"
    ]
    assert set(after) == {"RUNNING", "STARTING"}


def test_events_trail_a_termination(lives: list[ClusterLife]) -> None:
    trailing = {
        life.events[n + 1].type
        for life in lives
        for n, event in enumerate(life.events[:-1])
        if event.type == "TERMINATING"
    }
    assert {"NODES_LOST", "EDITED", "UNPINNED", "STARTING"} <= trailing


@pytest.mark.parametrize("kind", ["EDITED", "RESIZING"])
def test_a_change_comes_from_a_user(kind: str, lives: list[ClusterLife]) -> None:
    events = [event for life in lives for event in life.events if event.type == kind]
    assert any("user" in event.details for event in events)


@pytest.mark.parametrize(
    "kind",
    [
        "lost_termination",
        "restart_with_start",
        "edited_while_scaled",
        "running_since_before",
        "permanently_deleted",
        "lost_run_end",
        "started_before",
    ],
)
def test_the_truth_names_what_is_not_told(kind: str, truths: dict[str, Said]) -> None:
    assert kind in {gap["kind"] for gap in truths[PROD]["gaps"]}


RUNS: dict[str, Callable[[JobRun], bool]] = {
    "scheduled": lambda run: run.asked == TRIGGERED,
    "asked for by hand": lambda run: run.asked == RUN_NOW and bool(run.request),
    "submitted to a new cluster": lambda run: (
        run.asked == SUBMIT and run.tasks[0].place is Place.NEW
    ),
    "submitted to an existing cluster": lambda run: (
        run.asked == SUBMIT and run.tasks[0].place is Place.EXISTING
    ),
    "of a single task": lambda run: len(run.tasks) == 1,
    "without task structure": lambda run: run.is_legacy,
    "of several tasks on one job cluster": lambda run: (
        len({task.cluster_id for task in run.tasks}) == 1 < len(run.tasks)
    ),
    "of tasks at the same time": lambda run: any(
        one is not other
        and one.started_ms is not None
        and other.started_ms is not None
        and other.ended_ms is not None
        and other.started_ms <= one.started_ms < other.ended_ms
        for one in run.tasks
        for other in run.tasks
    ),
    "repaired": lambda run: len(run.repairs) == 1 and len(run.ends) == 2,
    "repaired on a later day": lambda run: any(
        repair.at_ms // DAY_MS > run.ends[0].at_ms // DAY_MS for repair in run.repairs
    ),
    "cancelled": lambda run: bool(run.cancels) and run.ends[-1].ending is Ending.CANCELED,
    "cancelled when it was over": lambda run: any(
        cancel.at_ms > run.ends[-1].at_ms for cancel in run.cancels
    ),
    "cancelled whose end is lost": lambda run: (
        bool(run.cancels) and not run.tasks[0].is_end_told and not run.has_echo
    ),
    "cancelled whose end only the job run tells": lambda run: (
        bool(run.cancels) and not run.tasks[0].is_end_told and run.has_echo
    ),
    "failed": lambda run: any(end.ending is Ending.FAILED for end in run.ends),
    "timed out": lambda run: any(end.ending is Ending.TIMED_OUT for end in run.ends),
    "skipped before their start": lambda run: (
        run.tasks[0].started_ms is None and run.tasks[0].ending is Ending.SKIPPED
    ),
    "failed before their start": lambda run: (
        run.tasks[0].started_ms is None and run.tasks[0].ending is Ending.INTERNAL_ERROR
    ),
    "with nothing at midnight": lambda run: (
        len(run.tasks) == 2
        and (run.tasks[0].ended_ms or 0) // DAY_MS < (run.tasks[1].started_ms or 0) // DAY_MS
    ),
    "over midnight": lambda run: any(
        (task.started_ms or 0) // DAY_MS + 1 == (task.ended_ms or 0) // DAY_MS for task in run.tasks
    ),
    "over days": lambda run: any(
        (task.ended_ms or 0) - (task.started_ms or 0) > 2 * DAY_MS for task in run.tasks
    ),
    "without end": lambda run: run.tasks[0].ended_ms is None,
}


@pytest.mark.parametrize("kind", RUNS)
def test_there_are_runs(kind: str, world: World, runs: list[JobRun]) -> None:
    found = [run for run in runs if RUNS[kind](run)]
    assert found
    assert min(run.submitted_ms for run in found) < world.until_ms - DAY_MS // 2


def test_three_runs_share_one_cluster(runs: list[JobRun]) -> None:
    tasks = [task for run in runs for task in run.tasks if task.place is Place.EXISTING]
    spans = [
        (task.cluster_id, task.started_ms, task.ended_ms or math.inf)
        for task in tasks
        if task.started_ms is not None
    ]
    together = [
        sum(there == cluster_id and begin <= started < end for there, begin, end in spans)
        for cluster_id, started, _ in spans
    ]
    assert max(together) >= 3


def actions_of(world: World, *what: str) -> Iterator[AuditAction]:
    actions = named(world, PROD).actions
    return (each for each in actions if f"{each.service}.{each.action}" in what)


@pytest.mark.parametrize(
    "what",
    [
        *(f"clusters.{each}" for each in ("create", "edit", "resize", "start", "restart")),
        *(f"clusters.{each}" for each in ("delete", "permanentDelete", "changeClusterAcl")),
        *(f"clusters.{each}Result" for each in ("create", "start", "resize", "restart", "delete")),
        *(f"jobs.{each}" for each in ("create", "update", "reset", "delete")),
        *(f"jobs.{each}" for each in ("changeJobAcl", "resetJobAcl", "cancel", "repairRun")),
        *(f"jobs.{each}" for each in ("runNow", "submitRun", "runTriggered", "runStart")),
        *(f"jobs.{each}" for each in ("runSucceeded", "runFailed")),
        *(f"instancePools.{each}" for each in ("create", "edit", "delete")),
    ],
)
def test_the_audit_log_notes(what: str, world: World) -> None:
    assert any(action.status == 200 for action in actions_of(world, what))


def test_a_cluster_is_refused_by_the_cloud(world: World) -> None:
    refused = [each for each in actions_of(world, "clusters.create") if each.status == 400]
    names = [str((each.params or {})["cluster_name"]) for each in refused]
    assert any(name.startswith("job-") for name in names)
    assert all(each.result is None for each in refused)


def test_a_result_follows_its_request_after_it_by_its_id(world: World) -> None:
    asked = {
        each.request_id: each.at_ms
        for each in actions_of(world, *(f"clusters.{a}" for a in ("start", "resize", "restart")))
    }
    results = (f"clusters.{each}Result" for each in ("start", "resize", "restart"))
    told = list(actions_of(world, *results))
    assert told
    assert all(asked[each.request_id] < each.at_ms for each in told)


def test_jobs_that_only_snapshots_know(world: World) -> None:
    created = {(each.result or {})["job_id"] for each in actions_of(world, "jobs.create")}
    known: Any = api_of(world, PROD).jobs(world.until_ms)
    unseen = {job["settings"]["name"] for job in known if job["job_id"] not in created}
    assert unseen == {"ledger_close", "legacy_archive"}


def test_pools_that_only_snapshots_know_and_one_that_comes_and_goes(world: World) -> None:
    created = {
        (each.result or {})["instance_pool_id"]
        for each in actions_of(world, "instancePools.create")
    }
    api = api_of(world, PROD)
    first, last = (
        {str(pool["instance_pool_id"]) for pool in api.instance_pools(now_ms)}
        for now_ms in (world.since_ms + DAY_MS // 2, world.until_ms)
    )
    assert len(first - created) == 2
    assert first - last == created


def test_prices_change_within_the_days(truths: dict[str, Said]) -> None:
    for kind in ("dbu", "node"):
        rows = truths[PROD]["prices"][kind]
        changes = {row["active_until"] for row in rows if row["active_until"] is not None}
        assert changes == {"2026-10-07"}
