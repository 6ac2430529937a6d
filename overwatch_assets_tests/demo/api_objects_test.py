from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, cast

import pytest
from databricks.sdk.service.compute import (
    ClusterLibraryStatuses,
    GlobalInitScriptDetails,
    InstanceProfile,
    Policy,
)
from databricks.sdk.service.settings import PublicTokenInfo
from databricks.sdk.service.sql import EndpointInfo, QueryInfo
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from overwatch_assets.demo.api_objects import ApiObjects, Json
from overwatch_assets.demo.emulator.workspace import EmulatedWorkspace
from overwatch_assets.demo.simulation import simulate
from overwatch_assets.demo.world import WorkspaceWorld, World
from overwatch_assets_tests.demo.reading import iso_ms

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
WORLD = simulate(seed=7, first_day=date(2026, 10, 5), days=4, scale=1.0)
SHARED_METHODS = (
    "policies",
    "library_statuses",
    "instance_profiles",
    "tokens",
    "init_scripts",
    "warehouses",
    "queries",
    "secrets",
)
INSTANTS = st.integers(WORLD.since_ms - DAY_MS, WORLD.until_ms + DAY_MS)
FINAL = {"FINISHED", "FAILED", "CANCELED"}


def api_of(played: WorkspaceWorld, world: World = WORLD) -> ApiObjects:
    return ApiObjects(played.workspace, world.company.account_id, played.estate, world.until_ms)


APIS = [api_of(each) for each in WORLD.workspaces]


@pytest.fixture(params=APIS, ids=[api.workspace.name for api in APIS])
def api(request: pytest.FixtureRequest) -> ApiObjects:
    return cast("ApiObjects", request.param)


def noon(day: int) -> int:
    return WORLD.since_ms + day * DAY_MS + 12 * HOUR_MS


def by_id(answers: Sequence[Json], key: str) -> dict[str, dict[str, Any]]:
    return {str(each[key]): dict(each) for each in answers}


@pytest.mark.parametrize("name", SHARED_METHODS)
def test_methods_are_those_of_an_emulated_workspace(name: str) -> None:
    mine = cast("Callable[..., object]", getattr(ApiObjects, name))
    theirs = cast("Callable[..., object]", getattr(EmulatedWorkspace, name))
    assert mine.__annotations__.keys() == theirs.__annotations__.keys()


SHAPES: Mapping[str, tuple[str, Callable[[dict[str, Any]], Any]]] = {
    "policies": ("policy_id", Policy.from_dict),
    "library_statuses": ("cluster_id", ClusterLibraryStatuses.from_dict),
    "instance_profiles": ("instance_profile_arn", InstanceProfile.from_dict),
    "tokens": ("token_id", PublicTokenInfo.from_dict),
    "init_scripts": ("script_id", GlobalInitScriptDetails.from_dict),
    "warehouses": ("id", EndpointInfo.from_dict),
    "queries": ("query_id", QueryInfo.from_dict),
}
UNKNOWN_TO_THE_SDK = {
    "queries": {"is_cancelable"},
    "warehouses": {"auto_resume", "creator_id", "size"},
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_sdk_reads_every_answer_whole(api: ApiObjects, name: str) -> None:
    _, from_dict = SHAPES[name]
    ask = cast("Callable[[int], Sequence[Json]]", getattr(api, name))
    for day in range(4):
        answers = ask(noon(day))
        assert answers
        for each in answers:
            known = {
                key: value
                for key, value in each.items()
                if key not in UNKNOWN_TO_THE_SDK.get(name, set())
            }
            assert from_dict(dict(known)).as_dict() == without_empty(known)


def without_empty(value: Any) -> Any:
    """What the SDK leaves out when it writes: empty lists and objects."""
    if isinstance(value, dict):
        entries = cast("dict[str, Any]", value)
        return {key: without_empty(each) for key, each in entries.items() if each not in ([], {})}
    if isinstance(value, list):
        return [without_empty(each) for each in cast("list[Any]", value)]
    return value


@given(st.sampled_from(APIS), INSTANTS, INSTANTS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_a_query_only_ever_goes_on(api: ApiObjects, one: int, other: int) -> None:
    earlier = by_id(api.queries(min(one, other)), "query_id")
    later = by_id(api.queries(max(one, other)), "query_id")
    assert earlier.keys() <= later.keys()
    for query_id, was in earlier.items():
        now = later[query_id]
        for end in ("execution_end_time_ms", "query_end_time_ms"):
            assert end not in was or was[end] == now[end]
        if was["is_final"]:
            assert now == was


@given(st.sampled_from(APIS), INSTANTS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_a_query_that_runs_has_no_end_and_one_that_ended_has(api: ApiObjects, now: int) -> None:
    for each in api.queries(now):
        ended = each.get("execution_end_time_ms")
        assert (ended is not None) == (each["status"] in FINAL)
        assert ("query_end_time_ms" in each) == each["is_final"]
        times = [each["query_start_time_ms"], ended, each.get("query_end_time_ms")]
        assert all(cast("int", time) < now for time in times if time is not None)
        measured = "task_total_time_ms" in cast("Json", each["metrics"])
        assert measured <= cast("bool", each["is_final"])


def test_a_long_query_runs_for_days_and_is_finished_later(api: ApiObjects) -> None:
    [query_id] = (
        each["query_id"]
        for each in api.queries(noon(2))
        if each["status"] == "RUNNING" and cast("int", each["duration"]) > 2 * DAY_MS
    )
    seen = [by_id(api.queries(noon(day)), "query_id")[str(query_id)] for day in range(4)]
    assert [each["status"] for each in seen] == ["RUNNING", "RUNNING", "RUNNING", "FINISHED"]
    assert "query_end_time_ms" in seen[3]
    assert seen[0]["duration"] < seen[1]["duration"] < seen[2]["duration"]


def test_a_query_waits_before_it_runs(api: ApiObjects) -> None:
    first = api.estate.queries[0]
    assert by_id(api.queries(first.submitted_ms + 1), "query_id")[first.query_id]["status"] == (
        "QUEUED"
    )


def test_what_runs_at_the_end_of_the_world_does_not_get_older(api: ApiObjects) -> None:
    at_the_end, much_later = api.queries(WORLD.until_ms), api.queries(WORLD.until_ms + DAY_MS)
    assert at_the_end == much_later
    assert [each["status"] for each in at_the_end].count("RUNNING") == 1


@given(st.sampled_from(APIS), INSTANTS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_a_warehouse_is_what_its_events_say(api: ApiObjects, now: int) -> None:
    last = {str(each["warehouse_id"]): each for each in api.warehouse_events(now)}
    for warehouse_id, answer in by_id(api.warehouses(now), "id").items():
        event = last[warehouse_id]
        scaled = str(event["event_type"]).replace("SCALED_UP", "RUNNING")
        assert answer["state"] == scaled.replace("SCALED_DOWN", "RUNNING")
        assert answer["num_clusters"] == event["cluster_count"]


def test_events_of_a_warehouse_alternate_in_the_order_of_time(api: ApiObjects) -> None:
    events = api.warehouse_events(WORLD.until_ms)
    for warehouse in api.estate.warehouses:
        own = [each for each in events if each["warehouse_id"] == warehouse.warehouse_id]
        times = [iso_ms(str(each["event_time"])) for each in own]
        assert times == sorted(set(times))
        assert [state.since_ms for state in warehouse.states] == times


def test_a_deleted_warehouse_is_not_listed(api: ApiObjects) -> None:
    names = [{str(each["name"]) for each in api.warehouses(noon(day))} for day in range(4)]
    assert "legacy-dash" in names[0] & names[1]
    assert "legacy-dash" not in names[2]
    assert "month-end" in names[2]
    assert names[3] == {"bi-reports", "analyst-adhoc", "etl-sql"}


def test_settings_are_those_of_the_instant(api: ApiObjects) -> None:
    found = [
        next(each for each in api.warehouses(noon(day)) if each["name"] == "bi-reports")
        for day in range(2)
    ]
    assert [(each["size"], each["max_num_clusters"]) for each in found] == [
        ("MEDIUM", 3),
        ("LARGE", 4),
    ]


def test_a_library_is_pending_installed_and_leaves_with_a_restart(api: ApiObjects) -> None:
    cluster_id = api.workspace.shared.cluster_id

    def status(hours: float) -> str | None:
        answers = by_id(api.library_statuses(WORLD.since_ms + round(hours * HOUR_MS)), "cluster_id")
        for each in answers[cluster_id]["library_statuses"]:
            if "pypi" in each["library"]:
                return str(each["status"])
        return None

    at_hours = (8, 8.034, 8.05, 12, 41, 56)
    assert [status(hours) for hours in at_hours] == [
        None,
        "PENDING",
        "INSTALLING",
        "INSTALLED",
        "UNINSTALL_ON_RESTART",
        None,
    ]


def test_a_policy_a_script_and_a_token_come_change_and_go(api: ApiObjects) -> None:
    policies = [
        [each["max_clusters_per_user"] for each in api.policies(noon(day)) if "libraries" in each]
        for day in range(4)
    ]
    assert policies == [[2], [3], [3], []]
    scripts = [
        [each["enabled"] for each in api.init_scripts(noon(day) + HOUR_MS)] for day in range(4)
    ]
    assert scripts == [[True, True], [True, False], [True], [True]]
    comments = [{str(each["comment"]) for each in api.tokens(noon(day) + 1)} for day in range(4)]
    assert comments == [
        {"ci", "overwatch", "tableau"},
        {"ci", "overwatch", "tableau", "one evening"},
        {"ci", "overwatch"},
        {"ci", "overwatch"},
    ]


def test_what_is_made_after_the_end_of_the_world_is_never_there() -> None:
    short = simulate(seed=7, first_day=date(2026, 10, 5), days=1, scale=0.2)
    api = api_of(short.workspaces[0], short)
    assert "month-end" not in {each["name"] for each in api.warehouses(short.until_ms + 9 * DAY_MS)}
    assert len(api.instance_profiles(short.until_ms + 9 * DAY_MS)) == 1


def test_before_the_first_day_only_the_older_objects_are_there(api: ApiObjects) -> None:
    before = WORLD.since_ms
    assert len(api.policies(before)) == 3
    assert [each["name"] for each in api.warehouses(before)] == ["bi-reports"]
    assert not api.queries(before)


def test_a_secret_is_in_no_answer_and_no_audit_record(api: ApiObjects) -> None:
    secrets = set(api.secrets().values())
    assert len(secrets) == len(api.secrets()) == 2
    [played] = (each for each in WORLD.workspaces if each.estate is api.estate)
    answers = [getattr(api, name)(WORLD.until_ms) for name in SHAPES]
    text = f"{list(played.actions)}{answers}"
    assert not [secret for secret in secrets if secret in text]
