import inspect
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest
from databricks.sdk.service import compute, jobs
from hypothesis import given, settings
from hypothesis import strategies as st

from overwatch_assets.demo.api_compute import LISTED_JOB, REMEMBERED_MS, ComputeApi
from overwatch_assets.demo.emulator.workspace import EmulatedWorkspace
from overwatch_assets.demo.simulation import simulate
from overwatch_assets.demo.world import World
from overwatch_assets_tests.demo.compute_reading import Said, api_of, named

DAY_MS, HOUR_MS = 86_400_000, 3_600_000
PROD = "tidewater-prod"


@pytest.fixture
def api(world: World) -> ComputeApi:
    return api_of(world, PROD)


def cluster_named(world: World, name: str) -> str:
    lives = named(world, PROD).compute.lives()
    [life] = [life for life in lives if life.spec.name == name]
    return life.cluster_id


def got(api: ComputeApi, cluster_id: str, now_ms: int) -> Said:
    found: Any = api.cluster(cluster_id, now_ms)
    assert found is not None
    return found


def test_its_methods_are_those_of_an_emulated_workspace(api: ComputeApi) -> None:
    for name in (
        *("clusters", "cluster", "cluster_events", "jobs", "job_runs", "instance_pools"),
        *("node_types", "mounts", "file"),
    ):
        wanted = inspect.signature(getattr(EmulatedWorkspace, name))
        assert inspect.signature(getattr(ComputeApi, name)) == wanted
    assert api.workspace_id == "3471820956612044"


UNKNOWN_TO_THE_SDK = {
    "clusters": {"/effective_spark_version"},
    "events": {
        "/details/attributes/cluster_source",
        "/details/previous_attributes/cluster_source",
        "/details/lease_seconds",
        "/type",
    },
    "jobs": {"/run_as_user_name", "/settings/new_cluster", "/settings/spark_python_task"},
    "job_runs": {"/format"},
    "instance_pools": set[str](),
    "node_types": set[str](),
}
"""What the SDK drops: newer or older than it, and the type of event that nobody knows."""


@pytest.mark.parametrize("kind", UNKNOWN_TO_THE_SDK)
def test_the_sdk_reads_every_answer_whole(
    kind: str, world: World, truths: dict[str, Said], api: ComputeApi
) -> None:
    now_ms, known = world.since_ms + 40 * HOUR_MS, list(truths[PROD]["clusters"])
    answers: dict[str, Callable[[], Any]] = {
        "clusters": lambda: api.clusters(now_ms),
        "events": lambda: [
            event for each in known for event in api.cluster_events(each, now_ms) or ()
        ],
        "jobs": lambda: api.jobs(now_ms),
        "job_runs": lambda: api.job_runs(now_ms),
        "instance_pools": lambda: api.instance_pools(now_ms),
        "node_types": api.node_types,
    }
    readers: dict[str, Any] = {
        "clusters": compute.ClusterDetails,
        "events": compute.ClusterEvent,
        "jobs": jobs.BaseJob,
        "job_runs": jobs.BaseRun,
        "instance_pools": compute.InstancePoolAndStats,
        "node_types": compute.NodeType,
    }
    found = answers[kind]()
    assert found
    lost = {
        path
        for each in found
        for path in dropped(each, readers[kind].from_dict(dict(each)).as_dict())
    }
    assert lost <= UNKNOWN_TO_THE_SDK[kind]


def dropped(told: Any, read: Any, path: str = "") -> Iterator[str]:
    """Where two JSON values differ, empty lists and objects aside."""
    if isinstance(told, dict) and isinstance(read, dict):
        entries, kept = cast("Said", told), cast("Said", read)
        for key in entries.keys() | kept.keys():
            yield from dropped(entries.get(key), kept.get(key), f"{path}/{key}")
    elif isinstance(told, list) and isinstance(read, list):
        elements, others = cast("list[Any]", told), cast("list[Any]", read)
        assert len(elements) == len(others)
        for element, other in zip(elements, others, strict=True):
            yield from dropped(element, other, path)
    elif told != read and told not in ([], {}, None):
        yield path


def test_the_list_tells_what_get_tells(world: World, api: ComputeApi) -> None:
    for now_ms in range(world.since_ms + HOUR_MS, world.until_ms + 1, 7 * HOUR_MS):
        for listed in api.clusters(now_ms):
            assert api.cluster(str(listed["cluster_id"]), now_ms) == listed


def test_the_list_ends_with_thirty_terminated_job_clusters(
    world: World, truths: dict[str, Said], api: ComputeApi
) -> None:
    listed: Any = api.clusters(world.until_ms)
    stopped = [
        each for each in listed if each["cluster_source"] == "JOB" and each["state"] == "TERMINATED"
    ]
    assert len(stopped) == LISTED_JOB
    known = [api.cluster(each, world.until_ms) for each in truths[PROD]["clusters"]]
    assert len([each for each in known if each is not None]) > len(listed)


def test_a_cluster_is_forgotten_thirty_days_after_its_termination(
    world: World, api: ComputeApi
) -> None:
    forgotten = cluster_named(world, "old-experiments")
    end = world.since_ms - 29 * DAY_MS + 6 * HOUR_MS + REMEMBERED_MS
    assert got(api, forgotten, end - 1)["state"] == "TERMINATED"
    assert api.cluster(forgotten, end) is None
    assert api.cluster_events(forgotten, end) is None
    assert api.cluster_events(forgotten, end - 1)


def test_a_pinned_cluster_is_remembered(world: World, api: ComputeApi) -> None:
    golden = cluster_named(world, "golden")
    unpinned = world.since_ms + 2 * DAY_MS + 11 * HOUR_MS
    assert golden in {each["cluster_id"] for each in api.clusters(unpinned)}
    assert api.cluster(golden, unpinned + 1) is None


def test_a_permanently_deleted_cluster_is_forgotten_at_once(world: World, api: ComputeApi) -> None:
    burst = cluster_named(world, "gpu-burst")
    deleted = world.since_ms + DAY_MS + 15 * HOUR_MS + HOUR_MS // 2
    assert got(api, burst, deleted)["state"] == "RUNNING"
    assert api.cluster(burst, deleted + 1) is None
    assert api.cluster_events(burst, deleted + 1) is None


def test_everything_terminated_is_forgotten_when_the_world_stands_still(
    world: World, api: ComputeApi
) -> None:
    later: Any = api.clusters(world.until_ms + 31 * DAY_MS)
    assert later
    assert all(each["state"] != "TERMINATED" for each in later)


STATES = [
    ("06:50:02", "PENDING", 1),
    ("06:54:00", "RUNNING", 1),
    ("08:06:00", "RESIZING", 1),
    ("08:08:01", "RUNNING", 4),
    ("17:45:30", "TERMINATING", 1),
    ("17:46:01", "TERMINATED", 1),
]


@pytest.mark.parametrize(("clock", "state", "workers"), STATES)
def test_a_cluster_is_what_it_was_at_the_instant(
    world: World, api: ComputeApi, clock: str, state: str, workers: int
) -> None:
    hours, minutes, seconds = map(int, clock.split(":"))
    now_ms = world.since_ms + ((hours * 60 + minutes) * 60 + seconds) * 1000
    cluster = got(api, cluster_named(world, "bi-dashboards"), now_ms)
    assert (cluster["state"], cluster["num_workers"]) == (state, workers)
    assert cluster["autoscale"] == {"min_workers": 1, "max_workers": 6}
    assert ("terminated_time" in cluster) == (state == "TERMINATED")
    is_up = state not in {"TERMINATING", "TERMINATED"}
    assert cluster["cluster_cores"] == (4.0 * (1 + workers) if is_up else 0.0)


def test_an_edit_is_told_from_its_instant_on(world: World, api: ComputeApi) -> None:
    saved = world.since_ms + DAY_MS + 12 * HOUR_MS + 20 * 60_000
    dashboards = cluster_named(world, "bi-dashboards")
    minutes = [
        got(api, dashboards, now_ms)["autotermination_minutes"] for now_ms in (saved, saved + 1)
    ]
    assert minutes == [120, 60]


def test_a_job_is_what_it_was_made_by_create_update_and_reset(
    world: World, api: ComputeApi
) -> None:
    def job_at(hours: float) -> Said:
        now_ms = round(world.since_ms + hours * HOUR_MS)
        known: Any = api.jobs(now_ms)
        [job] = [each for each in known if each["settings"]["name"].startswith("promo_model")]
        return job["settings"]

    created, updated, merged, replaced = (job_at(hours) for hours in (9, 12.5, 33.5, 34.5))
    assert "schedule" in created
    assert "schedule" not in updated
    assert (updated["tags"]["tier"], updated["timeout_seconds"]) == ("gold", 7200)
    assert [task["task_key"] for task in merged["tasks"]] == ["main", "check"]
    assert merged["tags"] == updated["tags"]
    assert [task["task_key"] for task in replaced["tasks"]] == ["main"]
    assert (replaced["tags"], replaced["timeout_seconds"]) == ({"team": "data-platform"}, 0)
    with pytest.raises(ValueError, match="not enough values"):
        job_at(58)


def test_a_run_is_told_as_it_stands(world: World, api: ComputeApi) -> None:
    def pipeline_at(hours: float) -> Said:
        now_ms = round(world.since_ms + hours * HOUR_MS)
        runs: Any = api.job_runs(now_ms)
        return [each for each in runs if each["run_name"] == "orders_pipeline"][-1]

    running, failed, repairing, repaired = (pipeline_at(hours) for hours in (3.25, 4.5, 5.1, 6.5))
    assert running["state"]["life_cycle_state"] == "RUNNING"
    assert running["end_time"] == 0
    assert failed["state"]["result_state"] == "FAILED"
    assert {task["task_key"] for task in failed["tasks"]} == {"bronze", "orders", "stock"}
    assert repairing["state"]["life_cycle_state"] == "RUNNING"
    assert repaired["state"]["result_state"] == "SUCCESS"
    assert len(repaired["tasks"]) == 5
    assert running["tasks"][0]["cluster_instance"]["cluster_id"]


def test_a_pool_counts_the_machines_in_use(world: World, api: ComputeApi) -> None:
    def used(hours: float) -> dict[str, int]:
        pools: Any = api.instance_pools(round(world.since_ms + hours * HOUR_MS))
        return {pool["instance_pool_name"]: pool["stats"]["used_count"] for pool in pools}

    assert used(3.0) == {"warm-etl": 0, "etl-drivers": 0}
    assert used(3.28) == {"warm-etl": 3, "etl-drivers": 1}
    assert used(12.5)["gpu-burst"] == 4


def test_every_node_type_of_a_cluster_is_listed(world: World, api: ComputeApi) -> None:
    listed = {each["node_type_id"] for each in api.node_types()}
    for cluster in api.clusters(world.until_ms):
        assert {cluster["node_type_id"], cluster["driver_node_type_id"]} <= listed


def test_a_path_leads_to_the_folder_behind_its_longest_prefix(world: World, tmp_path: Path) -> None:
    (tmp_path / "logs" / "a").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    folders = {"/mnt/cluster-logs": tmp_path / "logs", "/mnt/cluster-logs/b": tmp_path / "other"}
    api = ComputeApi(world, named(world, PROD), folders)
    mounts = {str(mount["mount_point"]) for mount in api.mounts()}
    assert "/mnt/cluster-logs" in mounts
    assert api.file("/mnt/cluster-logs/a") == tmp_path / "logs" / "a"
    assert api.file("/mnt/cluster-logs/b") == tmp_path / "other"
    for nowhere in (
        "/mnt/cluster-logs/missing",
        "/mnt/cluster-logs-2/a",
        "/Volumes/main/logs",
        "/mnt/cluster-logs/../other",
    ):
        assert api.file(nowhere) is None


SMALL = simulate(seed=5, first_day=date(2026, 10, 5), days=2, scale=0.2, spark_logs=False)


@given(
    st.sampled_from([each.workspace.name for each in SMALL.workspaces]),
    st.integers(SMALL.since_ms, SMALL.until_ms),
    st.integers(SMALL.since_ms, SMALL.until_ms),
)
@settings(deadline=None, max_examples=25)
def test_what_was_told_earlier_stays_true_later(name: str, one: int, other: int) -> None:
    early, late = sorted((one, other))
    api = api_of(SMALL, name)
    for cluster in api.clusters(early):
        before = api.cluster_events(str(cluster["cluster_id"]), early)
        after = api.cluster_events(str(cluster["cluster_id"]), late)
        assert after is None or list(after[: len(before or ())]) == before
        assert all(int(str(event["timestamp"])) < early for event in before or ())
    ended = {run["run_id"]: run["end_time"] for run in api.job_runs(early) if run["end_time"] != 0}
    later = {run["run_id"]: run["end_time"] for run in api.job_runs(late)}
    assert ended.keys() <= later.keys()
    assert all(int(str(end_ms)) < early for end_ms in ended.values())
