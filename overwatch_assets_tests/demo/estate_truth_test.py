"""The truth about the estate against a count of what is emitted: files and answers."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from overwatch_assets.demo.api_objects import ApiObjects
from overwatch_assets.demo.estate_truth import estate_truth
from overwatch_assets.demo.simulation import simulate
from overwatch_assets.demo.world import WorkspaceWorld, World
from overwatch_assets.demo.write import DemoWorkspace, DemoWorld
from overwatch_assets_tests.demo.reading import Event, audit_records, day_of, iso_ms

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
SIZES = {"2X-Small": 4, "X-Small": 6, "Small": 12, "Medium": 24, "Large": 40}
MODIFICATIONS = {
    "add", "delete", "addPrincipalToGroup", "removePrincipalFromGroup", "setAdmin", "updateUser",
}  # fmt: skip

Days = dict[str, Counter[str]]


def api_of(world: World, played: WorkspaceWorld) -> ApiObjects:
    return ApiObjects(played.workspace, world.company.account_id, played.estate, world.until_ms)


def truth_of(world: World, played: WorkspaceWorld) -> dict[str, Any]:
    return json.loads(json.dumps(estate_truth(played, world.since_ms, world.until_ms)))


def written_truth(demo: DemoWorld, workspace: DemoWorkspace) -> dict[str, Any]:
    return json.loads(demo.truth.read_text(encoding="utf-8"))[workspace.workspace_id]["estate"]


def counted(workspace: DemoWorkspace, kind_of: Callable[[Event], str | None]) -> Days:
    """Count the lines of the audit log, each once, by day and kind."""
    lines = {json.dumps(each): each for _, each in audit_records(workspace.audit_folder)}
    days: Days = defaultdict(Counter)
    for record in lines.values():
        kind = kind_of(record)
        if kind is not None:
            days[day_of(record["timestamp"]).isoformat()][kind] += 1
    return days


def login(record: Event) -> str | None:
    service, action = record["serviceName"], record["actionName"]
    if service == "ssh" and action == "login":
        return "ssh"
    if service != "accounts" or "login" not in action.lower():
        return None
    return None if record.get("userIdentity", {}).get("email") == "dbadmin" else action


def failed_login(record: Event) -> str | None:
    return login(record) if record.get("response", {}).get("statusCode") in {401, 403} else None


def modification(record: Event) -> str | None:
    known = record["serviceName"] == "accounts" and record["actionName"] in MODIFICATIONS
    return record["actionName"] if known else None


def notebook_action(record: Event) -> str | None:
    is_good = record["serviceName"] == "notebook" and record["response"]["statusCode"] == 200
    return record["actionName"] if is_good else None


@pytest.mark.parametrize(
    ("key", "kind_of"),
    [
        ("logins", login),
        ("failed_logins", failed_login),
        ("account_modifications", modification),
        ("notebook_actions", notebook_action),
    ],
)
def test_the_audit_log_holds_as_many_as_the_truth_says(
    demo: DemoWorld, workspace: DemoWorkspace, key: str, kind_of: Callable[[Event], str | None]
) -> None:
    said = written_truth(demo, workspace)[key]
    assert said
    assert {day: Counter(counts) for day, counts in said.items()} == counted(workspace, kind_of)


def test_people_have_the_ids_that_the_audit_log_tells(
    demo: DemoWorld, workspace: DemoWorkspace
) -> None:
    told = {
        (params["targetUserName"], params["targetUserId"])
        for _, record in audit_records(workspace.audit_folder)
        if modification(record)
        for params in [record["requestParams"]]
        if {"targetUserName", "targetUserId"} <= params.keys()
    }
    assert set(written_truth(demo, workspace)["people"].items()) == told


def test_the_audit_log_holds_the_events_of_the_estate(
    demo: DemoWorld, workspace: DemoWorkspace
) -> None:
    all_of_them = counted(
        workspace, lambda record: f"{record['serviceName']}.{record['actionName']}"
    )
    said = written_truth(demo, workspace)["audit_events"]
    for day, counts in said.items():
        assert Counter(counts) <= all_of_them[day]
        only_here = [what for what in counts if what.startswith(("databrickssql", "clusterPol"))]
        assert all(counts[what] == all_of_them[day][what] for what in only_here)


def test_commands_are_those_of_the_audit_log(demo: DemoWorld, workspace: DemoWorkspace) -> None:
    told = {
        params["commandId"]: (
            params["notebookId"],
            record["userIdentity"]["email"],
            record["timestamp"],
            float(params["executionTime"]),
            params["status"],
            params.get("clusterId"),
        )
        for _, record in audit_records(workspace.audit_folder)
        if record["actionName"] == "runCommand"
        for params in [record["requestParams"]]
    }
    said = written_truth(demo, workspace)["notebook_commands"]
    assert told == {
        command_id: (
            str(each["notebook_id"]),
            each["user"],
            each["end_ms"],
            each["seconds"],
            each["status"],
            each["cluster_id"],
        )
        for command_id, each in said.items()
    }
    for each in said.values():
        assert each["end_ms"] - each["start_ms"] == round(each["seconds"] * 1000)


def test_queries_are_those_of_the_query_history(world: World, played: WorkspaceWorld) -> None:
    answers = {
        str(each["query_id"]): {
            "warehouse_id": each["warehouse_id"],
            "user": each["user_name"],
            "executed_as": each["executed_as_user_name"],
            "status": each["status"],
            "start_ms": each["query_start_time_ms"],
            "execution_end_ms": each.get("execution_end_time_ms"),
            "end_ms": each.get("query_end_time_ms"),
        }
        for each in api_of(world, played).queries(world.until_ms)
    }
    said = truth_of(world, played)["queries"]
    assert answers == {
        query_id: {key: value for key, value in each.items() if key != "running_ms"}
        for query_id, each in said.items()
    }


def test_dbus_and_costs_are_those_of_the_events(world: World, played: WorkspaceWorld) -> None:
    said = truth_of(world, played)["warehouses"]
    assert said.keys() == {each.warehouse_id for each in played.estate.warehouses}
    recounted = dbus_by_day(world, played)
    for warehouse_id, truth in said.items():
        days = recounted[warehouse_id]
        assert truth["days"].keys() == {day for day, dbus in days.items() if dbus}
        for day, figures in truth["days"].items():
            assert figures["dbus"] == pytest.approx(days[day])
            assert figures["cost_usd"] == pytest.approx(days[day] * 0.22)
            assert 0 < figures["running_hours"] <= 24


def dbus_by_day(world: World, played: WorkspaceWorld) -> dict[str, dict[str, float]]:
    """What the events, and the settings of the moment of each, come to."""
    api = api_of(world, played)
    events = api.warehouse_events(world.until_ms)
    days: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for warehouse in played.estate.warehouses:
        own = [each for each in events if each["warehouse_id"] == warehouse.warehouse_id]
        starts = [iso_ms(str(each["event_time"])) for each in own]
        ends = [*starts[1:], warehouse.deleted_ms or world.until_ms]
        midnights = range(world.since_ms, world.until_ms, DAY_MS)
        for event, start, end in zip(own, starts, ends, strict=True):
            if event["event_type"] in {"STARTING", "STOPPING", "STOPPED"}:
                continue
            rate = SIZES[warehouse.settings_at(start).size] * int(str(event["cluster_count"]))
            cuts = sorted({start, end, *(each for each in midnights if start < each < end)})
            for since, until in pairwise(cuts):
                day = day_of(since).isoformat()
                days[warehouse.warehouse_id][day] += rate * (until - since) / HOUR_MS
    return days


def test_what_queries_bear_and_what_is_idle_is_what_warehouses_cost(
    world: World, played: WorkspaceWorld
) -> None:
    said = truth_of(world, played)
    costs = said["query_costs"]
    whole = sum(
        day["cost_usd"] for each in said["warehouses"].values() for day in each["days"].values()
    )
    borne = sum(each["cost_usd"] for each in costs["queries"])
    assert borne + sum(each["cost_usd"] for each in costs["idle"]) == pytest.approx(whole)
    assert sum(each["cost_usd"] for each in costs["users"]) == pytest.approx(borne)
    assert sum(each["queries"] for each in costs["users"]) == len(said["queries"])
    assert 0 < borne < whole


def test_queries_are_busy_as_long_as_their_execution_lasts(
    world: World, played: WorkspaceWorld
) -> None:
    said = truth_of(world, played)
    busy: dict[str, float] = defaultdict(float)
    for each in said["query_costs"]["queries"]:
        busy[each["query_id"]] += each["busy_s"]
    lasted = {
        query_id: ((each["execution_end_ms"] or world.until_ms) - each["running_ms"]) / 1000
        for query_id, each in said["queries"].items()
        if each["running_ms"] is not None
    }
    assert {query_id: lasts for query_id, lasts in lasted.items() if lasts} == pytest.approx(busy)


def test_objects_are_those_that_the_api_lists_at_the_end_of_each_day(
    world: World, played: WorkspaceWorld
) -> None:
    api, said = api_of(world, played), truth_of(world, played)["objects"]
    assert list(said) == ["2026-10-05", "2026-10-06", "2026-10-07", "2026-10-08"]
    for n, kinds in enumerate(said.values()):
        now = world.since_ms + (n + 1) * DAY_MS
        listed = {
            "policies": {each["policy_id"] for each in api.policies(now)},
            "instance_profiles": {
                each["instance_profile_arn"] for each in api.instance_profiles(now)
            },
            "tokens": {each["token_id"] for each in api.tokens(now)},
            "init_scripts": {each["script_id"] for each in api.init_scripts(now)},
            "warehouses": {each["id"] for each in api.warehouses(now)},
            "libraries": {
                f"{each['cluster_id']}/{json.dumps(status['library'], sort_keys=True)}"
                for each in api.library_statuses(now)
                for status in libraries(each)
            },
        }
        assert {kind: set(ids) for kind, ids in kinds.items()} == listed


def libraries(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return answer["library_statuses"]


@pytest.mark.parametrize(("seed", "days", "scale"), [(3, 1, 0.2), (11, 2, 1.7), (5, 6, 0.5)])
def test_it_is_so_for_other_worlds(seed: int, days: int, scale: float, world: World) -> None:
    first_day = day_of(world.since_ms)
    other = simulate(seed=seed, first_day=first_day, days=days, scale=scale)
    for played in other.workspaces:
        test_dbus_and_costs_are_those_of_the_events(other, played)
        test_queries_are_those_of_the_query_history(other, played)
