"""What runs, jobs, users and days cost by the made-up company's telemetry, against its truth.

Each day is loaded on the morning after it.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
import pytest

from overwatch_assets.presentation import (
    clusteridlecostdaily,
    jobruncostdaily,
    tagcostdaily,
    usercostdaily,
)
from overwatch_assets.presentation.reading import Reach, derived_rows, rows_of
from overwatch_assets.registry import TABLES, in_load_order
from overwatch_assets.view import DerivedView
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
    "jobrun_gold",
    "jobruncostpotentialfact_gold",
}
CANNOT_BE_TOLD = {
    "lost_termination",
    "restart_with_start",
    "running_since_before",
    "permanently_deleted",
    "lost_run_end",
    "started_before",
}
"""Gaps after which the states of a cluster, or the runs on it, cannot be those that were."""

USD = ("compute_usd", "dbu_usd", "total_usd", "dbus")
COLUMNS = ("total_compute_cost", "total_dbu_cost", "total_cost", "total_dbus")

TABLES_BY_NAME = {table.name: table for table in TABLES}


MODULES = [module for module in in_load_order() if module.table.name in NEEDED]


@dataclass(frozen=True)
class Seen:
    """A workspace as it was observed, and what is true of it."""

    observed: Observed
    truth: Said
    organization_id: str

    def rows(self, view: DerivedView) -> pl.DataFrame:
        reach = Reach(workspaces=[self.organization_id])
        store = self.observed.deployment.store
        return derived_rows(store, view, TABLES_BY_NAME, reach).collect()

    def runs(self) -> pl.DataFrame:
        reach = Reach(workspaces=[self.organization_id])
        table = TABLES_BY_NAME["jobruncostpotentialfact_gold"]
        return rows_of(self.observed.deployment.store, table, reach).collect()

    def tasks(self) -> dict[int, Said]:
        """Task runs that truth knows, by id, with who asked for them and their job."""
        return {
            task["run_id"]: {**task, "by": run["by"], "job_id": run["job_id"]}
            for run in self.truth["runs"].values()
            for task in run["tasks"]
        }

    def hidden(self) -> set[str]:
        """Clusters of which not all is told, or not of all runs on them."""
        tasks = self.tasks()
        subjects = {g["subject"] for g in self.truth["gaps"] if g["kind"] in CANNOT_BE_TOLD}
        of_runs = {
            str(tasks[int(each)]["cluster_id"]) for each in subjects if int_or_none(each) in tasks
        }
        return subjects | of_runs

    def told(self) -> dict[int, Said]:
        """Task runs on clusters of which all is told."""
        hidden = self.hidden()
        return {
            run_id: task
            for run_id, task in self.tasks().items()
            if task["started_ms"] is not None and task["cluster_id"] not in hidden
        }


def int_or_none(text: str) -> int | None:
    return int(text) if text.isdigit() else None


@pytest.fixture(scope="module", params=[(7, 3), (11, 2), (23, 2)], ids=lambda p: f"seed {p[0]}")
def company(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Company]:
    root = tmp_path_factory.mktemp("company")
    seed, days = request.param
    with open_company(root, days=days, scale=0.2, seed=seed) as company:
        yield company


@pytest.fixture(scope="module")
def seen(company: Company) -> Seen:
    observed = company.deployed()
    observed.load_daily(MODULES, "tidewater-prod")
    [each] = [
        each.workspace.workspace_id
        for each in company.demo.world.workspaces
        if each.workspace.name == "tidewater-prod"
    ]
    return Seen(observed, truth_of(company.demo.world, "tidewater-prod"), each)


def close(usd: float) -> object:
    return pytest.approx(usd, rel=1e-6, abs=1e-8)


def test_each_run_costs_what_it_truly_cost(seen: Seen) -> None:
    found = {row["run_id"]: row for row in seen.runs().iter_rows(named=True)}
    different = {
        run_id: ([found[run_id][name] for name in COLUMNS], [task[name] for name in USD])
        for run_id, task in seen.told().items()
        if [found[run_id][name] for name in COLUMNS] != [close(task[name]) for name in USD]
    }
    assert different == {}
    assert len(seen.told()) > 50


def test_every_run_has_a_row_and_every_null_its_reason(seen: Seen) -> None:
    rows = seen.runs()
    assert set(seen.tasks()) <= set(rows["run_id"])
    lacking = pl.col("total_cost").is_null()
    assert rows.filter(lacking != pl.col("cost_reason").is_not_null()).is_empty()
    assert not rows["run_id"].is_duplicated().any()


def test_each_day_of_a_run_costs_what_it_truly_cost(seen: Seen) -> None:
    told = seen.told()
    rows = seen.rows(jobruncostdaily.VIEW).filter(pl.col("run_id").is_in(list(told)))
    found = {
        (run_id, str(day)): usd
        for run_id, day, usd in rows.select("run_id", "date", "total_cost").iter_rows()
    }
    true = {
        (run_id, day): close(usd["total_usd"])
        for run_id, task in told.items()
        for day, usd in task["days"].items()
    }
    assert {key: found.get(key) for key in true} == true
    assert all(found[key] in (None, 0.0) for key in found.keys() - true.keys())


@pytest.mark.parametrize(("cut", "told_by"), [("submitted_by", "by"), ("job_id", "job_id")])
def test_users_and_jobs_cost_on_each_day_what_they_truly_cost(
    seen: Seen, cut: str, told_by: str
) -> None:
    told = seen.told()
    rows = seen.rows(jobruncostdaily.VIEW).filter(
        pl.col("run_id").is_in(list(told)), pl.col("total_cost").is_not_null()
    )
    sums = rows.group_by(cut, pl.col("date").cast(pl.String)).agg(pl.col("total_cost").sum())
    true: dict[tuple[object, str], float] = defaultdict(float)
    for task in told.values():
        for day, usd in task["days"].items():
            true[task[told_by], day] += usd["total_usd"]
    found = {(who, day): usd for who, day, usd in sums.iter_rows()}
    assert {key: found.get(key) for key in true} == {key: close(usd) for key, usd in true.items()}


def test_what_no_run_used_is_what_was_truly_idle(seen: Seen) -> None:
    hidden = seen.hidden()
    rows = seen.rows(clusteridlecostdaily.VIEW)
    found = {
        (row["cluster_id"], str(row["date"])): row
        for row in rows.iter_rows(named=True)
        if row["cluster_id"] not in hidden
    }
    true = {
        (cluster_id, day): usd
        for cluster_id, cluster in seen.truth["clusters"].items()
        for day, usd in cluster["days"].items()
        if cluster_id not in hidden and usd["total_usd"] > 0
    }
    for key, usd in true.items():
        assert found[key]["total_cost"] == close(usd["total_usd"]), key
        assert found[key]["idle_cost"] == close(usd["idle"]["total_usd"]), key
        assert found[key]["run_cost"] >= 0
    assert rows.filter(pl.col("idle_cost") < -1e-9).is_empty()


def test_every_cut_sums_to_what_the_clusters_cost(seen: Seen) -> None:
    reach = Reach(workspaces=[seen.organization_id])
    table = TABLES_BY_NAME["clusterstatefact_gold"]
    states = rows_of(seen.observed.deployment.store, table, reach).collect()
    whole = pytest.approx(states["total_cost"].sum(), rel=1e-9)
    idle, users = seen.rows(clusteridlecostdaily.VIEW), seen.rows(usercostdaily.VIEW)
    tags = seen.rows(tagcostdaily.VIEW)
    assert states["total_cost"].null_count() == 0
    assert idle["total_cost"].sum() == whole
    assert float(idle["run_cost"].sum()) + float(idle["idle_cost"].sum()) == whole
    assert users["total_cost"].sum() == whole
    by_key = tags.group_by("tag_key").agg(pl.col("total_cost").sum())["total_cost"]
    assert len(by_key) > 0
    assert by_key.to_list() == [whole] * len(by_key)
