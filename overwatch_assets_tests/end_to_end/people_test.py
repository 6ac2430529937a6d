"""What people did, from the made-up company's telemetry, against its truth.

Who came in, who was let in, what became of notebooks and pools, what commands cost.

Each day is loaded on the morning after it, as a deployment does, and once more when all that is
late has come: some rows of the system table come a day later.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest

from overwatch_assets.demo.command_costs import command_costs
from overwatch_assets.demo.estate_truth import estate_truth
from overwatch_assets.demo.world import WorkspaceWorld
from overwatch_assets.module import Grain
from overwatch_assets.presentation import (
    accountlogin,
    accountmod,
    instancepool,
    notebook,
    notebookcommands,
    notebookusercostdaily,
    verboseaudittarget,
)
from overwatch_assets.presentation.reading import Reach, derived_rows, view_rows
from overwatch_assets.registry import TABLES, in_load_order
from overwatch_assets.view import DerivedView, View
from overwatch_assets_tests.end_to_end.company import Company, Observed, open_company
from overwatch_assets_tests.end_to_end.told import Span, told_compute
from overwatch_assets_tests.laws.harness import MS_PER_DAY

AUDIT_ONLY = {
    "audit_log_bronze",
    "pools_snapshot_bronze",
    "pools_silver",
    "account_login_silver",
    "account_mods_silver",
    "notebook_silver",
    "notebook_gold",
    "account_mods_gold",
    "account_login_gold",
    "instancepool_gold",
}
COSTS = {
    "jobs_snapshot_bronze",
    "clusters_snapshot_bronze",
    "cluster_events_bronze",
    "cluster_spec_silver",
    "job_status_silver",
    "jobrun_silver",
    "cluster_state_detail_silver",
    "clusterstatefact_gold",
    "notebookcommands_gold",
}
PROD, SHOPS = "tidewater-prod", "tidewater-shops"
NEEDED = {PROD: AUDIT_ONLY | COSTS, SHOPS: AUDIT_ONLY}
"""The largest, with verbose audit logs, and the smallest; their logs come by different routes."""

DAYS = 4

Said = dict[str, Any]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    with open_company(tmp_path_factory.mktemp("company"), days=DAYS, scale=0.1) as company:
        yield company


@pytest.fixture(scope="module")
def observed(company: Company) -> Observed:
    observed = company.deployed()
    for name, needed in NEEDED.items():
        modules = [module for module in in_load_order() if module.table.name in needed]
        observed.load_daily(modules, company.days, name)
        later = [module for module in modules if module.table.grain is not Grain.CAPTURE]
        with company.at(company.end_ms + 2 * MS_PER_DAY):
            observed.load(later, *company.days, workspace=name)
    return observed


@pytest.fixture(params=NEEDED)
def workspace(request: pytest.FixtureRequest, company: Company) -> WorkspaceWorld:
    return named(company, request.param)


def named(company: Company, name: str) -> WorkspaceWorld:
    worlds = company.demo.world.workspaces
    return next(each for each in worlds if each.workspace.name == name)


@pytest.fixture
def truth(company: Company, workspace: WorkspaceWorld) -> Said:
    world = company.demo.world
    return estate_truth(workspace, world.since_ms, world.until_ms)


def shown(observed: Observed, view: View | DerivedView, workspace: WorkspaceWorld) -> pl.DataFrame:
    tables = {table.name: table for table in TABLES}
    reach = Reach(workspaces=[workspace.workspace.workspace_id])
    store = observed.deployment.store
    if isinstance(view, DerivedView):
        return derived_rows(store, view, tables, reach).collect()
    return view_rows(store, view, tables[view.table], reach).collect()


def counted(rows: pl.DataFrame, day: str, kind: str) -> dict[str, Counter[str]]:
    """Rows by day and kind."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for of_day, of_kind in rows.select(pl.col(day).cast(pl.String), kind).iter_rows():
        found[of_day][of_kind] += 1
    return found


def test_logins_are_those_that_were_truly_tried(
    observed: Observed, workspace: WorkspaceWorld, truth: Said
) -> None:
    rows = shown(observed, accountlogin.VIEW, workspace)
    status = pl.col("response").struct.field("statusCode")
    assert counted(rows, "login_date", "login_type") == truth["logins"]
    failed = counted(rows.filter(status != 200), "login_date", "login_type")
    assert failed == truth["failed_logins"]


def test_each_login_comes_from_where_it_truly_came(
    observed: Observed, workspace: WorkspaceWorld
) -> None:
    rows = shown(observed, accountlogin.VIEW, workspace)
    host = pl.col("ssh_login_details").struct.field("instance_id")
    found = rows.select("login_unixTimeMS", "user_email", "login_user", "from_ip_address", host)
    of_people = [each for each in workspace.actions if each.by != "dbadmin"]
    told = [
        (each.at_ms, each.by, params.get("user"), each.address, params.get("instanceId"))
        for each in of_people
        for params in [each.params or {}]
        if each.service in {"accounts", "ssh"} and "login" in each.action.lower()
    ]
    assert sorted(found.rows(), key=str) == sorted(told, key=str)


def test_changes_of_accounts_are_those_that_truly_were(
    observed: Observed, workspace: WorkspaceWorld, truth: Said
) -> None:
    rows = shown(observed, accountmod.VIEW, workspace)
    assert counted(rows, "mod_date", "action") == truth["account_modifications"]


def test_whoever_is_named_has_the_id_that_is_truly_theirs(
    observed: Observed, workspace: WorkspaceWorld, truth: Said
) -> None:
    rows = shown(observed, accountmod.VIEW, workspace)
    named = rows.drop_nulls("user_name").select("user_name", "user_id").rows()
    assert named == [(name, truth["people"][name]) for name, _ in named]
    changes = [each.params or {} for each in workspace.actions if each.service == "accounts"]
    lacking = [
        each
        for each in changes
        if {"targetUserName", "targetUserId"} & {*each} == {"targetUserName"}
    ]
    assert len(lacking) > 2


def test_what_was_done_to_notebooks_is_what_was_truly_done(
    observed: Observed, workspace: WorkspaceWorld, truth: Said
) -> None:
    rows = shown(observed, notebook.VIEW, workspace)
    assert counted(rows, "date", "action") == truth["notebook_actions"]
    assert set(rows["user_email"]) <= {each.email for each in workspace.workspace.people}


def test_every_event_tells_where_its_notebook_was_then(
    observed: Observed, workspace: WorkspaceWorld, truth: Said
) -> None:
    [silver] = [each for each in TABLES if each.name == "notebook_silver"]
    organization_id = workspace.workspace.workspace_id
    rows = observed.deployment.store.scan(silver).filter(
        pl.col("organization_id") == organization_id, ~pl.col("is_open")
    )
    effective = ("notebookId", "timestamp", "effective_name", "effective_path")
    found = rows.select(effective).collect()
    told = found.drop_nulls().group_by("notebookId").agg(pl.col("timestamp").min())
    first_told: dict[str, int] = dict(told.iter_rows())
    for notebook_id, at_ms, name, path in found.iter_rows():
        places = [each for each in truth["notebooks"][notebook_id] if each["since_ms"] <= at_ms]
        expected = (places[-1]["name"], places[-1]["path"])
        assert (name, path) == (expected if at_ms >= first_told[notebook_id] else (None, None))
    assert len(found) > 25


@pytest.fixture
def commands(company: Company, observed: Observed) -> dict[str, tuple[Said, Said]]:
    """Each command as it is shown, and as it truly was."""
    workspace, world = named(company, PROD), company.demo.world
    rows = shown(observed, notebookcommands.VIEW, workspace)
    said: Said = estate_truth(workspace, world.since_ms, world.until_ms)
    true: dict[str, Said] = said["notebook_commands"]
    found = {row["command_id"]: row for row in rows.iter_rows(named=True)}
    assert found.keys() == true.keys()
    return {command_id: (found[command_id], told) for command_id, told in true.items()}


def test_commands_are_those_that_truly_ran_and_called_as_they_truly_were(
    commands: dict[str, tuple[Said, Said]],
) -> None:
    assert len(commands) > 60
    for row, told in commands.values():
        assert row["notebook_id"] == str(told["notebook_id"])
        assert row["user_identity"]["email"] == told["user"]
        assert (row["unixTimeMS"], row["execution_time_s"]) == (told["end_ms"], told["seconds"])
        assert (row["status"], row["cluster_id"]) == (told["status"], told["cluster_id"])
        path = told["notebook_path"]
        assert (row["notebook_path"], row["notebook_name"]) == (path, path.rsplit("/", 1)[-1])


def test_commands_cost_what_their_clusters_cost_meanwhile(
    company: Company, commands: dict[str, tuple[Said, Said]]
) -> None:
    """Of clusters of which not all is told, what the rules make of what is."""
    world, workspace = company.demo.world, named(company, PROD)
    span = Span(world.since_ms, world.until_ms, company.end_ms, every_morning=True)
    told = told_compute(world, workspace, span)
    expected = command_costs(workspace.estate.commands, told.lives(), told.prices, world.until_ms)
    costs = {key: row["estimated_dbu_cost"] for key, (row, _) in commands.items()}
    assert {key for key, usd in costs.items() if usd is not None} == expected.keys()
    different = {
        key: (costs[key], usd)
        for key, usd in expected.items()
        if costs[key] != pytest.approx(usd, rel=1e-6, abs=1e-9)
    }
    assert different == {}
    assert sum(usd > 0 for usd in expected.values()) > 30
    assert (
        sum(
            usd == pytest.approx(commands[key][1]["dbu_usd"], rel=1e-6, abs=1e-9)
            for key, usd in expected.items()
        )
        > 30
    )
    assert {row["cost_reason"] for row, _ in commands.values()} == {None, "no_cluster"}
    assert {row["uncovered_S"] for row, _ in commands.values()} == {None, 0.0}


def test_users_commands_cost_together_what_each_costs(
    company: Company, observed: Observed, commands: dict[str, tuple[Said, Said]]
) -> None:
    days = shown(observed, notebookusercostdaily.VIEW, named(company, PROD))
    by_user = days.group_by("user_email").agg(
        pl.col("estimated_dbu_cost", "execution_time_S").sum()
    )
    expected: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for row, told in commands.values():
        expected[told["user"]][0] += row["estimated_dbu_cost"] or 0.0
        expected[told["user"]][1] += told["seconds"]
    found = {user: pytest.approx(sums) for user, *sums in by_user.iter_rows()}
    assert dict(expected) == found
    assert days["unknown_commands"].sum() == sum(
        row["estimated_dbu_cost"] is None for row, _ in commands.values()
    )
    assert days.filter(pl.col("shared_dbu_cost") > pl.col("estimated_dbu_cost") + 1e-9).is_empty()


def test_the_older_name_shows_the_same_commands(company: Company, observed: Observed) -> None:
    prod = named(company, PROD)
    found = shown(observed, verboseaudittarget.VIEW, prod)
    assert found.equals(shown(observed, notebookcommands.VIEW, prod))


def test_pools_are_what_they_truly_were_from_change_to_change(
    company: Company, observed: Observed, workspace: WorkspaceWorld
) -> None:
    rows = shown(observed, instancepool.VIEW, workspace)
    begin_ms = company.demo.world.since_ms
    true: set[tuple[object, ...]] = set()
    for pool in workspace.compute.pools:
        first, *later = [version.at_ms for version in pool.versions]
        changes = [("create", first), *(("edit", at_ms) for at_ms in later)]
        if first < begin_ms:
            changes[0] = ("snapImpute", begin_ms)
        if pool.deleted_ms is not None:
            changes.append(("delete", pool.deleted_ms))
        for action, at_ms in changes:
            spec = pool.spec_at(at_ms)
            size = (spec.min_idle, spec.max_capacity, spec.idle_minutes)
            true.add((pool.pool_id, action, at_ms, spec.name, spec.node_type, *size))
    found = rows.select(
        "instance_pool_id", "actionName", "timestamp", "instance_pool_name", "node_type_id",
        "min_idle_instances", "max_capacity", "idle_instance_autotermination_minutes",
    )  # fmt: skip
    assert set(found.rows()) == true
    assert len(true) > 4
