"""A month of the made-up company, observed by its telemetry: what is stored, what is true.

`truth` is what happened. `told` is what can be known of it (`told.py`): the same, but where
telemetry has a gap. Both have the form of `compute_truth`.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from overwatch_assets.demo.compute_truth import compute_truth
from overwatch_assets.demo.ledger import WorkspaceCompute
from overwatch_assets.demo.world import WorkspaceWorld, World
from overwatch_assets.presentation import clusterstatefactdaily
from overwatch_assets.presentation.reading import Reach, derived_rows, rows_of, view_rows
from overwatch_assets.registry import TABLES, in_load_order
from overwatch_assets.view import DerivedView, View
from overwatch_assets_tests.demo.compute_reading import Said
from overwatch_assets_tests.end_to_end.company import Company, Observed
from overwatch_assets_tests.end_to_end.told import Span, told_compute
from overwatch_assets_tests.laws.harness import MS_PER_DAY

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
    "cluster_gold",
    "job_gold",
    "clusterstatefact_gold",
    "jobrun_gold",
    "jobruncostpotentialfact_gold",
}
HOUR_MS = 3_600_000
MODULES = [module for module in in_load_order() if module.table.name in NEEDED]
BY_TABLE = {table.name: table for table in TABLES}

USD = ("compute_usd", "dbu_usd", "total_usd", "dbus")
COLUMNS = ("total_compute_cost", "total_dbu_cost", "total_cost", "total_dbus")
STOPPED_MS = {"JOB": 2 * MS_PER_DAY, "UI": 30 * MS_PER_DAY, "API": 30 * MS_PER_DAY}
"""After what time the state of a cluster that is down closes."""

Amounts = Mapping[str, float]
ByDay = Mapping[tuple[str, str], Amounts]
Fact = tuple[object, ...]


@dataclass(frozen=True)
class Loaded:
    """How a workspace is loaded.

    Attributes:
        days: So many, from the company's first one on.
        every_morning: Each of them on the morning after it; else all in one run, when the
            company's last day is over.
        hours_after: So long after the last day: a system table tells all of it after 27 hours.
    """

    days: int
    every_morning: bool = False
    hours_after: int = 6

    def load(self, observed: Observed, workspace: str) -> None:
        """Load a workspace so."""
        company = observed.company
        days = company.days[: self.days]
        if self.every_morning:
            observed.load_daily(MODULES, days, workspace)
            return
        with company.at(company.demo.world.until_ms + self.hours_after * HOUR_MS):
            observed.load_range(MODULES, days, workspace)


@dataclass(frozen=True)
class Month:
    """A workspace as it was observed, and what is true of it.

    Attributes:
        of: The workspace's world.
    """

    company: Company
    observed: Observed
    of: WorkspaceWorld
    loaded: Loaded

    @property
    def world(self) -> World:
        """The company's world."""
        return self.company.demo.world

    @property
    def organization_id(self) -> str:
        """The workspace's id."""
        return self.of.workspace.workspace_id

    @property
    def span(self) -> Span:
        """The days, and when they were loaded."""
        since_ms = self.world.since_ms
        until_ms = since_ms + self.loaded.days * MS_PER_DAY
        over_ms = until_ms if self.loaded.every_morning else self.world.until_ms
        asked_ms = over_ms + self.loaded.hours_after * HOUR_MS
        return Span(since_ms, until_ms, asked_ms, every_morning=self.loaded.every_morning)

    @cached_property
    def truth(self) -> Said:
        """What is true."""
        return self._said_of(self.of.compute)

    @cached_property
    def told(self) -> Said:
        """What can be known."""
        return self._said_of(self._told_compute)

    @cached_property
    def _told_compute(self) -> WorkspaceCompute:
        return told_compute(self.world, self.of, self.span)

    def _said_of(self, compute: WorkspaceCompute) -> Said:
        return compute_truth(compute, self.span.since_ms, self.span.until_ms)

    def shown(self, view: View) -> pl.DataFrame:
        """Rows of a view of one table."""
        store = self.observed.deployment.store
        return view_rows(store, view, BY_TABLE[view.table], self._reach).collect()

    def derived(self, view: DerivedView) -> pl.DataFrame:
        """Rows of a view of several tables."""
        return derived_rows(self.observed.deployment.store, view, BY_TABLE, self._reach).collect()

    @cached_property
    def runs(self) -> pl.DataFrame:
        """What runs cost."""
        table = BY_TABLE["jobruncostpotentialfact_gold"]
        return rows_of(self.observed.deployment.store, table, self._reach).collect()

    @cached_property
    def states(self) -> pl.DataFrame:
        """What clusters cost."""
        table = BY_TABLE["clusterstatefact_gold"]
        return rows_of(self.observed.deployment.store, table, self._reach).collect()

    @property
    def _reach(self) -> Reach:
        return Reach(workspaces=[self.organization_id])

    def by_day(self) -> ByDay:
        """Node-seconds, DBUs and USD per cluster and day that have any, as they are shown."""
        seconds = pl.col("uptime_in_state_S")
        runs, billed = (
            pl.col(name).cast(pl.Int64) for name in ("cloud_billable", "databricks_billable")
        )
        current, target = pl.col("current_num_workers"), pl.col("target_num_workers")
        days = (
            self.shown(clusterstatefactdaily.VIEW)
            .group_by("cluster_id", pl.col("date").cast(pl.String))
            .agg(
                driver_s=(seconds * runs).sum(),
                worker_s=(seconds * runs * target).sum(),
                billed_driver_s=(seconds * billed).sum(),
                billed_worker_s=(seconds * billed * current).sum(),
                dbus=pl.col("total_dbus").sum(),
                compute_usd=pl.col("total_compute_cost").sum(),
                dbu_usd=pl.col("total_DBU_cost").sum(),
                total_usd=pl.col("total_cost").sum(),
            )
        )
        return {
            (row.pop("cluster_id"), row.pop("date")): row
            for row in days.iter_rows(named=True)
            if row["driver_s"] > 0
        }

    def tasks(self) -> dict[int, Said]:
        """Task runs as they can be known, by id, with who asked for them and their job.

        `has_states`: a state of its cluster is known for its time.
        """
        return {
            task["run_id"]: {
                **task,
                "by": run["by"],
                "job_id": run["job_id"],
                "has_states": self._has_states(task),
            }
            for run in self.told["runs"].values()
            for task in run["tasks"]
        }

    def _has_states(self, task: Said) -> bool:
        if task["started_ms"] is None:
            return False
        until_ms = task["ended_ms"] or self.span.until_ms
        return any(
            state["start_ms"] < until_ms and state["end_ms"] > task["started_ms"]
            for state in self.told["clusters"][task["cluster_id"]]["states"]
        )

    def found_states(self) -> dict[tuple[str, int], Fact]:
        """What is stored of each state."""
        return {
            (row["cluster_id"], row["unixTimeMS_state_start"]): (
                row["state"],
                row["unixTimeMS_state_end"] + (not row["is_open"]),
                row["current_num_workers"],
                row["target_num_workers"],
                row["cloud_billable"],
                row["databricks_billable"],
                row["end_imputed"],
                row["is_open"],
            )
            for row in self.states.iter_rows(named=True)
        }

    def told_states(self) -> dict[tuple[str, int], Fact]:
        """What can be known of each state; what is down closes after a while."""
        found: dict[tuple[str, int], Fact] = {}
        for life in self._told_compute.lives():
            if life.deleted_ms is not None and life.deleted_ms < self.span.until_ms:
                start_ms = life.deleted_ms + 1
                marked = ("PERMENANT_DELETE", start_ms + 1, 0, 0, False, False, False, False)
                found[life.cluster_id, start_ms] = marked
            for state, is_followed_by_told in self._states_of(life.cluster_id):
                start_ms, end_ms = state["start_ms"], state["end_ms"]
                # A deletion ends the state with the millisecond in which it is told.
                end_ms += end_ms == life.deleted_ms
                closes_ms = start_ms + STOPPED_MS[life.spec.source] + 1
                is_down_for_long = not state["is_running"] and closes_ms <= end_ms
                found[life.cluster_id, start_ms] = (
                    state["state"],
                    closes_ms if is_down_for_long else end_ms,
                    state["current_workers"],
                    state["target_workers"],
                    state["is_running"],
                    state["is_dbu_billable"],
                    is_down_for_long or not is_followed_by_told,
                    state["is_open"] and not is_down_for_long,
                )
        return found

    def _states_of(self, cluster_id: str) -> Iterator[tuple[Said, bool]]:
        states = self.told["clusters"].get(cluster_id, {}).get("states", [])
        for number, state in enumerate(states):
            following = states[number + 1] if number + 1 < len(states) else {"is_told": True}
            yield state, following["is_told"]

    def gaps(self) -> dict[str, set[str]]:
        """Clusters and task runs that are not told as they were, and why.

        Forgotten: the API knows the cluster no longer, because it stopped 30 days ago.
        """
        found: dict[str, set[str]] = defaultdict(set)
        for gap in self.truth["gaps"]:
            found[gap["subject"]].add(gap["kind"])
        for cluster_id, cluster in self.truth["clusters"].items():
            of_days = [each for each in cluster["states"] if each["end_ms"] > self.span.since_ms]
            is_told = bool(self.told["clusters"][cluster_id]["states"])
            if of_days and not is_told and cluster_id not in found:
                found[cluster_id].add("forgotten")
        return found


def by_day_of(said: Said) -> ByDay:
    """Node-seconds, DBUs and USD per cluster and day that have any."""
    return {
        (cluster_id, day): {name: value for name, value in amounts.items() if name != "idle"}
        for cluster_id, cluster in said["clusters"].items()
        for day, amounts in cluster["days"].items()
        if amounts["driver_s"] > 0
    }
