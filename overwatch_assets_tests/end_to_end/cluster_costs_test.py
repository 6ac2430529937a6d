"""What clusters cost by cluster and day, from the made-up company's telemetry, against its truth.

Loaded every morning, as a deployment does.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

import polars as pl
import pytest

from overwatch_assets.demo.world import WorkspaceWorld
from overwatch_assets.module import ORGANIZATION_ID
from overwatch_assets.presentation import clusterstatefact, clusterstatefactdaily
from overwatch_assets.presentation.reading import Reach, view_rows
from overwatch_assets.registry import TABLES, in_load_order
from overwatch_assets.view import View
from overwatch_assets_tests.demo.compute_reading import Said, truth_of
from overwatch_assets_tests.end_to_end.company import Company, Observed, open_company

NEEDED = {
    "audit_log_bronze",
    "jobs_snapshot_bronze",
    "clusters_snapshot_bronze",
    "pools_snapshot_bronze",
    "cluster_events_bronze",
    "pools_silver",
    "cluster_spec_silver",
    "job_status_silver",
    "jobrun_silver",
    "cluster_state_detail_silver",
    "clusterstatefact_gold",
}
MODULES = [module for module in in_load_order() if module.table.name in NEEDED]
DAYS = 4
RELATIVE = 1e-6
NAMES = ("tidewater-prod", "tidewater-shops")
"""The largest and the smallest, whose audit logs come by different routes."""

CANNOT_BE_TOLD = {
    "lost_termination",
    "restart_with_start",
    "running_since_before",
    "permanently_deleted",
}
"""Gaps after which the states of a cluster cannot be those that were."""

Amounts = Mapping[str, float]
ByDay = Mapping[tuple[str, str], Amounts]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    with open_company(tmp_path_factory.mktemp("company"), days=DAYS, scale=0.1) as company:
        yield company


@pytest.fixture(scope="module")
def observed(company: Company) -> Observed:
    """The workspaces, each day on the morning after it."""
    observed = company.deployed()
    for name in NAMES:
        observed.load_daily(MODULES, name)
    return observed


@pytest.fixture(params=NAMES)
def workspace(request: pytest.FixtureRequest, company: Company) -> WorkspaceWorld:
    worlds = company.demo.world.workspaces
    return next(each for each in worlds if each.workspace.name == request.param)


@pytest.fixture
def truth(company: Company, workspace: WorkspaceWorld) -> Said:
    return truth_of(company.demo.world, workspace.workspace.name)


def shown(observed: Observed, view: View, workspace: WorkspaceWorld) -> pl.DataFrame:
    [table] = [each for each in TABLES if each.name == view.table]
    reach = Reach(workspaces=[workspace.workspace.workspace_id])
    return view_rows(observed.deployment.store, view, table, reach).collect()


def by_day(observed: Observed, workspace: WorkspaceWorld) -> ByDay:
    """Node-seconds, DBUs and USD per cluster and day that have any."""
    rows = shown(observed, clusterstatefactdaily.VIEW, workspace)
    seconds = pl.col("uptime_in_state_S")
    runs, billed = (
        pl.col(name).cast(pl.Int64) for name in ("cloud_billable", "databricks_billable")
    )
    current, target = pl.col("current_num_workers"), pl.col("target_num_workers")
    days = rows.group_by("cluster_id", pl.col("date").cast(pl.String)).agg(
        driver_s=(seconds * runs).sum(),
        worker_s=(seconds * runs * target).sum(),
        billed_driver_s=(seconds * billed).sum(),
        billed_worker_s=(seconds * billed * current).sum(),
        dbus=pl.col("total_dbus").sum(),
        compute_usd=pl.col("total_compute_cost").sum(),
        dbu_usd=pl.col("total_DBU_cost").sum(),
        total_usd=pl.col("total_cost").sum(),
    )
    return {
        (row.pop("cluster_id"), row.pop("date")): row
        for row in days.iter_rows(named=True)
        if row["driver_s"] > 0
    }


def true_by_day(truth: Said) -> ByDay:
    return {
        (cluster_id, day): {name: value for name, value in amounts.items() if name != "idle"}
        for cluster_id, cluster in truth["clusters"].items()
        for day, amounts in cluster["days"].items()
        if amounts["driver_s"] > 0
    }


def untold(truth: Said) -> dict[str, set[str]]:
    """Clusters of which telemetry does not tell all, and why."""
    found: dict[str, set[str]] = defaultdict(set)
    for gap in truth["gaps"]:
        if gap["kind"] in CANNOT_BE_TOLD:
            found[gap["subject"]].add(gap["kind"])
    return found


def test_node_seconds_dbus_and_costs_of_each_cluster_and_day_are_the_true_ones(
    observed: Observed, workspace: WorkspaceWorld, truth: Said
) -> None:
    hidden = untold(truth)
    found = {key: each for key, each in by_day(observed, workspace).items() if key[0] not in hidden}
    true = {key: each for key, each in true_by_day(truth).items() if key[0] not in hidden}
    assert found.keys() == true.keys()
    assert len(true) > 5
    different = {
        key: (found[key], amounts)
        for key, amounts in true.items()
        if found[key] != pytest.approx(amounts, rel=RELATIVE, abs=1e-8)
    }
    assert different == {}


def test_what_telemetry_does_not_tell_shows_as_a_difference_that_is_explained(
    observed: Observed,
    workspace: WorkspaceWorld,
    truth: Said,
    capsys: pytest.CaptureFixture[str],
) -> None:
    found, true, hidden = by_day(observed, workspace), true_by_day(truth), untold(truth)
    with capsys.disabled():
        print(f"\n{workspace.workspace.name}")  # noqa: T201 - what the difference is
        for cluster_id, kinds in sorted(hidden.items()):
            costs = [
                sum(amounts["total_usd"] for key, amounts in each.items() if key[0] == cluster_id)
                for each in (found, true)
            ]
            name = truth["clusters"][cluster_id]["name"]
            print(f"  {name}: {costs[0]:.2f} of {costs[1]:.2f} USD ({', '.join(sorted(kinds))})")  # noqa: T201 - the same
    rows = shown(observed, clusterstatefact.VIEW, workspace)
    for cluster_id, kinds in hidden.items():
        imputed = rows.filter(pl.col("cluster_id") == cluster_id)["end_imputed"].any()
        assert imputed == bool({"lost_termination", "restart_with_start"} & kinds)
    rest = rows.filter(~pl.col("cluster_id").is_in(list(hidden)))
    assert not rest.filter("cloud_billable")["end_imputed"].any()


def test_a_lost_termination_ends_at_the_last_sign_of_life(
    observed: Observed, workspace: WorkspaceWorld, truth: Said
) -> None:
    rows = shown(observed, clusterstatefact.VIEW, workspace)
    for gap in truth["gaps"]:
        if gap["kind"] != "lost_termination":
            continue
        of_cluster = rows.filter(pl.col("cluster_id") == gap["subject"])
        [end] = of_cluster.filter("end_imputed", "cloud_billable")["unixTimeMS_state_end"]
        assert end + 1 in (gap["heard_ms"], gap["heard_ms"] + 1)


def test_states_are_the_true_ones(
    observed: Observed, workspace: WorkspaceWorld, truth: Said
) -> None:
    hidden = untold(truth)
    rows = shown(observed, clusterstatefact.VIEW, workspace)
    found = {
        (row["cluster_id"], row["unixTimeMS_state_start"]): (
            row["state"],
            row["unixTimeMS_state_end"] + (not row["is_open"]),
            row["current_num_workers"],
            row["target_num_workers"],
            row["cloud_billable"],
            row["databricks_billable"],
        )
        for row in rows.iter_rows(named=True)
        if row["cluster_id"] not in hidden and not row["end_imputed"]
    }
    true = {
        (cluster_id, state["start_ms"]): (
            state["state"],
            state["end_ms"],
            state["current_workers"],
            state["target_workers"],
            state["is_running"],
            state["is_dbu_billable"],
        )
        for cluster_id, cluster in truth["clusters"].items()
        for state in cluster["states"]
        if cluster_id not in hidden and (cluster_id, state["start_ms"]) in found
    }
    assert found == true
    assert len(true) > 20


def test_no_state_of_the_company_is_without_a_price(
    observed: Observed, workspace: WorkspaceWorld
) -> None:
    rows = shown(observed, clusterstatefact.VIEW, workspace)
    unpriced = rows.filter(pl.col("cost_reason").is_not_null())
    assert unpriced.select("cluster_id", "cluster_name", "state", "cost_reason").rows() == []
    assert rows.filter(pl.col("cloud_billable"))["total_cost"].null_count() == 0


def test_prices_change_in_the_middle_of_the_days(
    observed: Observed, workspace: WorkspaceWorld
) -> None:
    rows = shown(observed, clusterstatefact.VIEW, workspace)
    rates = rows.filter(pl.col("sku") == "interactive").select(
        pl.col("state_start_date") >= pl.lit("2026-10-07").str.to_date(), "dbu_rate"
    )
    assert set(rates.rows()) == {(False, 0.55), (True, 0.60)}


def test_the_view_of_days_adds_up_to_the_states(
    observed: Observed, workspace: WorkspaceWorld
) -> None:
    days = shown(observed, clusterstatefactdaily.VIEW, workspace)
    states = shown(observed, clusterstatefact.VIEW, workspace)
    for name in clusterstatefactdaily.AMOUNTS:
        assert days[name].sum() == pytest.approx(states[name].sum(), rel=1e-9)
    assert days.height > states.height


def test_every_cost_agrees_with_the_rules_of_the_table(
    observed: Observed, workspace: WorkspaceWorld
) -> None:
    rows = shown(observed, clusterstatefact.VIEW, workspace)
    hours, multiplier = pl.col("uptime_in_state_H"), pl.col("photon_multiplier")
    worker = pl.col("workerSpecs").struct
    current, target = pl.col("current_num_workers"), pl.col("target_num_workers")
    dbus = worker.field("Hourly_DBUs") * current * hours * multiplier
    checks = {
        "worker_dbu_cost": dbus * pl.col("dbu_rate"),
        "worker_compute_cost": worker.field("Compute_Contract_Price") * target * hours,
        "worker_potential_core_H": worker.field("vCPUs") * current * hours,
    }
    has_workers = rows.filter("databricks_billable", pl.col("workerSpecs").is_not_null())
    assert has_workers.height > 0
    for name, expected in checks.items():
        off = has_workers.select((pl.col(name) - expected).abs().max()).item()
        assert off < RELATIVE
    idle = rows.filter(~pl.col("cloud_billable"))
    assert idle["total_cost"].to_list() == [0.0] * idle.height


def test_workspaces_are_kept_apart(observed: Observed) -> None:
    [table] = [each for each in TABLES if each.name == clusterstatefact.VIEW.table]
    rows = view_rows(observed.deployment.store, clusterstatefact.VIEW, table, Reach()).collect()
    per_cluster = rows.group_by("cluster_id").agg(pl.col(ORGANIZATION_ID.name).n_unique())
    assert per_cluster[ORGANIZATION_ID.name].to_list() == [1] * per_cluster.height
