"""Every case that the rest of the pipeline must survive occurs in the world of the demo."""

from collections import Counter
from datetime import UTC, date, datetime

import pytest

from overwatch_assets.demo.estate import QueryEnding, SqlQuery, Warehouse
from overwatch_assets.demo.simulation import simulate
from overwatch_assets.demo.world import AuditAction, WorkspaceWorld, World

FIRST_DAY = date(2026, 10, 5)
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def told(played: WorkspaceWorld, what: str) -> list[AuditAction]:
    return [each for each in played.estate_actions if f"{each.service}.{each.action}" == what]


def params(action: AuditAction) -> dict[str, object]:
    return dict(action.params or {})


def day_of(at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).date()


def warehouse(played: WorkspaceWorld, name: str) -> Warehouse:
    [found] = (each for each in played.estate.warehouses if each.versions[0].settings.name == name)
    return found


def small(seed: int = 7, scale: float = 0.2, days: int = 2) -> World:
    return simulate(seed=seed, first_day=FIRST_DAY, days=days, scale=scale)


def test_one_warehouse_is_older_than_the_audit_log(played: WorkspaceWorld, world: World) -> None:
    created = {each.warehouse_id: each.created_ms for each in played.estate.warehouses}
    older = [each for each, created_ms in created.items() if created_ms < world.since_ms]
    assert older == [warehouse(played, "bi-reports").warehouse_id]
    news = [*told(played, "databrickssql.createWarehouse")]
    news += told(played, "databrickssql.createEndpoint")
    told_ids = {each.result["id"] for each in news if each.result is not None}
    assert told_ids == created.keys() - set(older)


def test_warehouses_are_made_edited_started_stopped_and_deleted(played: WorkspaceWorld) -> None:
    good = Counter(
        each.action
        for each in played.estate_actions
        if each.service == "databrickssql" and each.status == 200
    )
    wanted = {
        "createWarehouse": 3,
        "createEndpoint": 1,
        "editWarehouse": 2,
        "editEndpoint": 2,
        "deleteWarehouse": 1,
        "deleteEndpoint": 1,
        "startWarehouse": 1,
        "stopWarehouse": 1,
    }
    assert {action: good[action] for action in wanted} == wanted


def test_an_edit_may_name_only_what_changes(played: WorkspaceWorld) -> None:
    names = [params(each).keys() for each in told(played, "databrickssql.editEndpoint")]
    assert {"id", "name", "max_num_clusters"} in names
    assert any("cluster_size" in each for each in names)


def test_size_clusters_and_tags_change(played: WorkspaceWorld) -> None:
    sizes = [each.settings.size for each in warehouse(played, "bi-reports").versions]
    assert sizes == ["Medium", "Large"]
    questions = [each.settings for each in warehouse(played, "analyst-adhoc").versions]
    assert [each.max_clusters for each in questions] == [2, 5, 5]
    assert questions[1].tags != questions[2].tags


def test_warehouses_scale_and_stop_by_themselves(played: WorkspaceWorld) -> None:
    found = [state for each in played.estate.warehouses for state in each.states]
    assert {state.status.value for state in found} == {
        "STARTING", "RUNNING", "SCALED_UP", "SCALED_DOWN", "STOPPING", "STOPPED",
    }  # fmt: skip
    by_hand = {each.at_ms for each in told(played, "databrickssql.stopWarehouse")}
    stops = [state for state in found if state.status.value == "STOPPING"]
    assert len([state for state in stops if state.since_ms not in by_hand]) > 10


def test_clusters_have_the_size_that_was_configured_when_they_started(
    played: WorkspaceWorld,
) -> None:
    for each in played.estate.warehouses:
        for state in each.states:
            if state.clusters > 0:
                assert state.size == each.settings_at(state.since_ms).size


def queries(played: WorkspaceWorld) -> tuple[SqlQuery, ...]:
    return played.estate.queries


def test_queries_end_well_fail_and_are_cancelled(played: WorkspaceWorld) -> None:
    endings = Counter(query.ending for query in queries(played))
    assert min(endings[ending] for ending in QueryEnding) >= 3
    for query in queries(played):
        assert (query.error is not None) == (query.ending is QueryEnding.FAILED)


def test_queries_run_over_midnight(played: WorkspaceWorld) -> None:
    over = [
        query.ending
        for query in queries(played)
        if query.ended_ms is not None and day_of(query.ended_ms) > day_of(query.submitted_ms)
    ]
    assert set(over) == set(QueryEnding)


def test_a_query_runs_for_more_than_two_days_and_ends(played: WorkspaceWorld) -> None:
    lasted = [
        query.ended_ms - query.submitted_ms
        for query in queries(played)
        if query.ended_ms is not None
    ]
    assert [each > 2 * DAY_MS for each in sorted(lasted)[-2:]] == [False, True]


def test_a_query_runs_when_the_world_ends(played: WorkspaceWorld) -> None:
    [query] = (each for each in queries(played) if each.ended_ms is None)
    assert query.running_ms is not None
    assert query.metrics is None


def test_several_people_send_the_same_statement(played: WorkspaceWorld) -> None:
    senders: dict[str, set[str]] = {}
    for query in queries(played):
        senders.setdefault(query.statement.text, set()).add(query.user.email)
    assert max(len(each) for each in senders.values()) >= 3


def test_queries_run_on_behalf_of_others_wait_and_come_from_the_cache(
    played: WorkspaceWorld,
) -> None:
    assert any(query.user != query.run_as for query in queries(played))
    assert any(query.has_waited_for_start for query in queries(played))
    assert any(
        query.running_ms is not None
        and query.running_ms > query.submitted_ms
        and not query.has_waited_for_start
        for query in queries(played)
    )
    assert any(query.metrics is not None and query.metrics.is_from_cache
               for query in queries(played))  # fmt: skip


def test_people_come_in_by_every_way(played: WorkspaceWorld) -> None:
    ways = {each.action for each in played.actions if each.service == "accounts"}
    assert ways >= {
        "login", "samlLogin", "tokenLogin", "oidcBrowserLogin", "jwtLogin", "aadBrowserLogin",
        "aadTokenLogin", "logout",
    }  # fmt: skip


def test_some_are_turned_away(played: WorkspaceWorld) -> None:
    logins = [each for each in played.estate_actions if each.action.lower().endswith("login")]
    statuses = Counter(each.status for each in logins)
    assert statuses[401] >= 4
    assert statuses[403] >= 4
    assert any(each.by is None and each.service == "accounts" for each in logins)


def test_databricks_own_administrator_comes_every_day(played: WorkspaceWorld) -> None:
    assert len([each for each in told(played, "accounts.login") if each.by == "dbadmin"]) == 4


def test_two_shells_open_in_one_millisecond_and_differ_by_address_only(
    played: WorkspaceWorld,
) -> None:
    shells = told(played, "ssh.login")
    for one, other in zip(shells[::2], shells[1::2], strict=True):
        assert (one.at_ms, one.request_id, one.params) == (other.at_ms, None, other.params)
        assert one.address != other.address


def test_accounts_are_modified_in_every_way(played: WorkspaceWorld) -> None:
    actions = {each.action for each in played.estate_actions if each.service == "accounts"}
    assert actions >= {
        "add", "delete", "addPrincipalToGroup", "removePrincipalFromGroup", "setAdmin",
        "updateUser", "generateDbToken", "revokeDbToken", "changeDbTokenAcl",
    }  # fmt: skip


def test_a_user_without_number_gets_one_later_that_day_or_had_one_before(
    played: WorkspaceWorld,
) -> None:
    rui = "rui.contractor@brightwater.example"
    found = [
        (day_of(each.at_ms), "targetUserId" in params(each))
        for each in played.estate_actions
        if params(each).get("targetUserName") == rui
    ]
    assert found[:2] == [(FIRST_DAY, False), (FIRST_DAY, True)]
    second = date(2026, 10, 6)
    assert {numbered for day, numbered in found if day == second} == {False}


def test_permissions_change_on_clusters_jobs_and_tokens(played: WorkspaceWorld) -> None:
    for what in ("clusters.changeClusterAcl", "jobs.changeJobAcl", "jobs.resetJobAcl"):
        [change] = told(played, what)
        assert "resourceId" in params(change)


def test_notebooks_go_through_every_action(played: WorkspaceWorld) -> None:
    actions = {
        each.action
        for each in played.actions
        if each.service == "notebook" and each.status == 200
    }  # fmt: skip
    assert actions - {"runCommand"} == {
        "createNotebook", "attachNotebook", "detachNotebook", "moveNotebook", "renameNotebook",
        "cloneNotebook", "deleteNotebook",
    }  # fmt: skip


def test_only_the_first_workspace_tells_commands(world: World) -> None:
    prod, lab = world.workspaces[:2]
    assert lab.estate.commands == ()
    assert not told(lab, "notebook.runCommand")
    commands = told(prod, "notebook.runCommand")
    assert {params(each)["commandId"] for each in commands} == {
        each.command_id for each in prod.estate.commands
    }
    for each in commands:
        assert {"commandText", "executionTime", "status"} <= params(each).keys()


def test_a_command_is_told_at_its_end_some_on_the_next_day(world: World) -> None:
    prod = world.workspaces[0]
    ends = {params(each)["commandId"]: each.at_ms for each in told(prod, "notebook.runCommand")}
    assert all(ends[each.command_id] == each.ended_ms for each in prod.estate.commands)
    over = [
        each
        for each in prod.estate.commands
        if day_of(each.started_ms) < day_of(each.ended_ms)
    ]  # fmt: skip
    assert len(over) == 3
    assert {each.cluster_id is None for each in prod.estate.commands} == {True, False}
    assert {each.status for each in prod.estate.commands} == {"finished", "failed", "cancelled"}
    assert any(each.duration_ms == 0 for each in prod.estate.commands)


@pytest.mark.parametrize("kind", ["policies", "libraries", "tokens", "init_scripts"])
def test_objects_are_older_than_the_log_made_and_gone(
    world: World, played: WorkspaceWorld, kind: str
) -> None:
    kept = [each for each in played.estate.objects if each.kind.value == kind]
    assert any(each.created.at_ms < world.since_ms for each in kept)
    made = [each for each in kept if each.created.at_ms >= world.since_ms]
    assert any(each.gone_ms is not None for each in made)


@pytest.mark.parametrize("kind", ["policies", "libraries", "init_scripts"])
def test_objects_change(played: WorkspaceWorld, kind: str) -> None:
    kept = [each for each in played.estate.objects if each.kind.value == kind]
    assert any(len(each.versions) > 1 for each in kept)


def test_requests_are_refused(played: WorkspaceWorld) -> None:
    refused = {
        (f"{each.service}.{each.action}", each.status)
        for each in played.estate_actions
        if each.status in {400, 403}
    }
    assert refused == {
        ("databrickssql.createWarehouse", 403),
        ("databrickssql.editWarehouse", 400),
        ("accounts.tokenLogin", 403),
        ("accounts.setAdmin", 403),
        ("notebook.deleteNotebook", 403),
        ("notebook.renameNotebook", 400),
    }


def test_a_request_and_its_response_are_two_events_of_one_millisecond(
    played: WorkspaceWorld,
) -> None:
    request, response = told(played, "repos.pull")
    assert (request.at_ms, request.request_id) == (response.at_ms, response.request_id)
    assert (request.status, response.status) == (None, 200)


def test_some_parameters_begin_with_a_capital(played: WorkspaceWorld) -> None:
    spelled = {
        key
        for each in played.estate_actions
        if each.service == "databrickssql"
        for key in params(each)
    }
    assert spelled >= {"DataSourceId", "dataSourceId", "DashboardId", "dashboardId", "AlertId"}


def test_the_same_arguments_give_the_same_estate() -> None:
    one, other = small(), small()
    for mine, yours in zip(one.workspaces, other.workspaces, strict=True):
        assert mine.estate == yours.estate
        assert mine.estate_actions == yours.estate_actions


def test_another_seed_gives_other_ids() -> None:
    one, other = small(), small(seed=8)
    ids = [{each.query_id for each in queries(world.workspaces[0])} for world in (one, other)]
    assert not ids[0] & ids[1]


def test_a_larger_scale_only_adds_people_s_work() -> None:
    few, many = small().workspaces[0], small(scale=2.0).workspaces[0]
    assert len(queries(few)) < len(queries(many))
    assert len(few.estate.commands) < len(many.estate.commands)
    assert few.estate.objects == many.estate.objects


def test_a_longer_world_begins_as_a_shorter_one_does() -> None:
    short, long = small(days=1), small(days=2)
    for mine, yours in zip(short.workspaces, long.workspaces, strict=True):
        early = [each for each in yours.estate_actions if each.at_ms < short.until_ms]
        assert [each.action for each in mine.estate_actions] == [each.action for each in early]
        started = [
            query.query_id for query in queries(yours) if query.submitted_ms < short.until_ms
        ]
        assert [query.query_id for query in queries(mine)] == started
