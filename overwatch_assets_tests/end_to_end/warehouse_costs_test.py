"""What warehouses, queries and users cost by the made-up company's telemetry, against its truth.

One workspace is loaded every morning, as a deployment does; of another only the captures are, and
all else of all days in one run. Their audit logs come by different routes; the events of both come
from the system table.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import polars as pl
import pytest

from overwatch_assets.demo.estate import Warehouse
from overwatch_assets.demo.estate_truth import BILLED, estate_truth
from overwatch_assets.demo.world import WorkspaceWorld
from overwatch_assets.module import Grain
from overwatch_assets.presentation import (
    sqlquerycostdaily,
    sqlqueryhistory,
    sqlusercostdaily,
    warehouse,
    warehouseidlecostdaily,
    warehousestatefact,
    warehousestatefactdaily,
)
from overwatch_assets.presentation.reading import Reach, derived_rows, view_rows
from overwatch_assets.registry import TABLES, in_load_order
from overwatch_assets.view import DerivedView, View
from overwatch_assets_tests.end_to_end.company import Company, Observed, open_company
from overwatch_assets_tests.laws.harness import MS_PER_DAY

LAST = {"warehouse_gold", "warehousestatefact_gold", "sql_query_history_gold"}
BY_TABLE = {table.name: table for table in TABLES}
DAYS = 4
DAILY, AT_ONCE = "tidewater-shops", "tidewater-prod"

Said = dict[str, Any]


def needed() -> set[str]:
    """Tables that the last ones are made of."""
    names = set(LAST)
    for module in reversed(in_load_order()):
        if module.table.name in names:
            names |= {*module.dependencies}
    return names


MODULES = [module for module in in_load_order() if module.table.name in needed()]
CAPTURED_FIRST = {"audit_log_bronze"} | {
    module.table.name for module in MODULES if module.table.grain is Grain.CAPTURE
}


@dataclass(frozen=True)
class Seen:
    """A workspace as it was observed, and what is true of it."""

    observed: Observed
    of: WorkspaceWorld

    @cached_property
    def truth(self) -> Said:
        world = self.observed.company.demo.world
        return cast("Said", estate_truth(self.of, world.since_ms, world.until_ms))

    @property
    def since_ms(self) -> int:
        return self.observed.company.demo.world.since_ms

    @property
    def until_ms(self) -> int:
        return self.observed.company.demo.world.until_ms

    @property
    def warehouses(self) -> Mapping[str, Warehouse]:
        return {each.warehouse_id: each for each in self.of.estate.warehouses}

    def shown(self, view: View) -> pl.DataFrame:
        store = self.observed.deployment.store
        return view_rows(store, view, BY_TABLE[view.table], self._reach).collect()

    def derived(self, view: DerivedView) -> pl.DataFrame:
        store = self.observed.deployment.store
        return derived_rows(store, view, BY_TABLE, self._reach).collect()

    @property
    def _reach(self) -> Reach:
        return Reach(workspaces=[self.of.workspace.workspace_id])


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    with open_company(tmp_path_factory.mktemp("company"), days=DAYS, scale=0.05) as company:
        yield company


@pytest.fixture(scope="module")
def observed(company: Company) -> Observed:
    observed = company.deployed()
    observed.load_daily(MODULES, company.days, DAILY)
    first = [module for module in MODULES if module.table.name in CAPTURED_FIRST]
    observed.load_daily(first, company.days, AT_ONCE)
    others = [module for module in MODULES if module not in first]
    observed.load(others, *company.days, workspace=AT_ONCE)
    return observed


@pytest.fixture(params=[DAILY, AT_ONCE])
def seen(request: pytest.FixtureRequest, company: Company, observed: Observed) -> Seen:
    worlds = company.demo.world.workspaces
    [world] = [each for each in worlds if each.workspace.name == request.param]
    return Seen(observed, world)


def close(value: float) -> object:
    return pytest.approx(value, rel=1e-6, abs=1e-9)


def test_every_state_of_every_warehouse_is_there_and_no_other(seen: Seen) -> None:
    """But for the mark of a deletion, which is no state of the warehouse."""
    rows = seen.shown(warehousestatefact.VIEW).filter(pl.col("state") != "PERMENANT_DELETE")
    found = {
        (row["warehouse_id"], row["unixTimeMS_state_start"]): (
            row["state"],
            row["unixTimeMS_state_end"] + (not row["is_open"]),
            row["current_num_clusters"],
            row["cluster_size"],
            row["databricks_billable"],
            row["is_open"],
            row["end_imputed"],
        )
        for row in rows.iter_rows(named=True)
    }
    true = {
        (each.warehouse_id, state.since_ms): (
            state.status.value,
            seen.until_ms if state.until_ms is None else state.until_ms,
            state.clusters,
            state.size,
            state.status.value in BILLED,
            state.until_ms is None,
            False,
        )
        for each in seen.of.estate.warehouses
        for state in each.states
        if state.since_ms >= seen.since_ms
    }
    # A deletion ends the state in its own millisecond.
    deleted = {each.warehouse_id: each.deleted_ms for each in seen.of.estate.warehouses}
    ends = {
        key: (*row[:1], row[1] - (deleted[key[0]] == row[1] - 1), *row[2:])
        for key, row in found.items()
    }
    assert ends == true
    assert len(true) > 30


def test_dbus_and_costs_of_each_warehouse_and_day_are_the_true_ones(seen: Seen) -> None:
    rows = seen.shown(warehousestatefactdaily.VIEW).filter("databricks_billable")
    days = rows.group_by("warehouse_id", pl.col("date").cast(pl.String)).agg(
        pl.col("uptime_in_state_H", "driver_dbus", "total_dbu_cost").sum()
    )
    found = {
        (row["warehouse_id"], row["date"]): {
            "running_hours": row["uptime_in_state_H"],
            "dbus": row["driver_dbus"],
            "cost_usd": row["total_dbu_cost"],
        }
        for row in days.iter_rows(named=True)
    }
    true = {
        (warehouse_id, day): figures
        for warehouse_id, each in seen.truth["warehouses"].items()
        for day, figures in each["days"].items()
    }
    assert found.keys() == true.keys()
    assert {key: close_to(figures) for key, figures in true.items()} == found
    assert len(true) > 5


def close_to(figures: Mapping[str, float]) -> object:
    return pytest.approx(dict(figures), rel=1e-6, abs=1e-9)


def test_nothing_is_without_a_price(seen: Seen) -> None:
    rows = seen.shown(warehousestatefact.VIEW)
    assert rows["cost_reason"].null_count() == rows.height
    assert rows["total_dbu_cost"].null_count() == 0
    assert set(rows["sku"]) == {"sqlCompute"}


def test_every_version_of_every_warehouse_is_shown_as_it_was(seen: Seen) -> None:
    rows = seen.shown(warehouse.VIEW).sort("warehouse_id", "unixTimeMS")
    found: dict[str, list[tuple[object, ...]]] = defaultdict(list)
    for row in rows.iter_rows(named=True):
        found[row["warehouse_id"]].append(
            (
                row["unixTimeMS"],
                row["warehouse_name"],
                row["cluster_size"],
                row["max_num_clusters"],
                row["auto_stop_mins"],
                row["warehouse_type"],
                row["tags"],
            )
        )
    for warehouse_id, each in seen.warehouses.items():
        instants = [max(version.at_ms, seen.since_ms) for version in each.versions]
        settings = [version.settings for version in each.versions]
        if each.deleted_ms is not None:
            instants.append(each.deleted_ms)
            settings.append(settings[-1])
        expected = [
            (at, one.name, one.size, one.max_clusters, one.auto_stop_minutes, one.warehouse_type,
             dict(one.tags))
            for at, one in zip(instants, settings, strict=True)
        ]  # fmt: skip
        if each.created_ms < seen.since_ms:
            # What only a capture tells is what the capture shows.
            assert found[warehouse_id][1:] == expected[1:]
            assert found[warehouse_id][0][:2] == (seen.since_ms, settings[0].name)
        else:
            assert found[warehouse_id] == expected
    assert found.keys() == seen.warehouses.keys()


def test_every_query_is_there_once_with_its_times_and_its_end(seen: Seen) -> None:
    rows = seen.shown(sqlqueryhistory.VIEW)
    found = {
        row["query_id"]: (
            row["warehouse_id"],
            row["user_name"],
            row["executed_as_user_name"],
            row["query_start_time_ms"],
            row["execution_end_time_ms"],
            row["query_end_time_ms"],
            row["is_open"],
        )
        for row in rows.iter_rows(named=True)
    }
    assert len(found) == rows.height
    true = {
        query_id: (
            each["warehouse_id"],
            each["user"],
            each["executed_as"],
            each["start_ms"],
            each["execution_end_ms"],
            each["end_ms"],
            each["execution_end_ms"] is None,
        )
        for query_id, each in seen.truth["queries"].items()
    }
    assert found == true
    status = {row["query_id"]: row["status"] for row in rows.iter_rows(named=True)}
    ended = {key: each for key, each in seen.truth["queries"].items() if each["end_ms"]}
    assert {key: status[key] for key in ended} == {k: each["status"] for k, each in ended.items()}
    assert {"FINISHED", "FAILED", "CANCELED"} <= set(status.values())
    started = pl.from_epoch("query_start_time_ms", "ms").dt.date()
    days_later = (pl.col("partition_date") - started).dt.total_days()
    assert rows.filter(days_later > 1).height > 0


def test_each_query_costs_on_each_day_what_it_truly_cost(seen: Seen) -> None:
    rows = seen.derived(sqlquerycostdaily.VIEW)
    found = {
        (row["query_id"], str(row["date"])): (row["busy_S"], row["total_dbu_cost"])
        for row in rows.iter_rows(named=True)
        if row["busy_S"] > 0
    }
    true = {
        (each["query_id"], each["day"]): (close(each["busy_s"]), close(each["cost_usd"]))
        for each in seen.truth["query_costs"]["queries"]
    }
    assert found == true
    assert rows["cost_reason"].null_count() == rows.height


def test_each_user_costs_on_each_warehouse_and_day_what_their_queries_truly_cost(
    seen: Seen,
) -> None:
    rows = seen.derived(sqlusercostdaily.VIEW).filter(pl.col("spent_on") == "queries")
    found = {
        (row["user_name"], row["warehouse_id"], str(row["date"])): (
            row["queries"],
            row["total_dbu_cost"],
        )
        for row in rows.iter_rows(named=True)
    }
    true = {
        (each["user"], each["warehouse_id"], each["day"]): (
            each["queries"],
            close(each["cost_usd"]),
        )
        for each in seen.truth["query_costs"]["users"]
    }
    assert found == true
    assert len(true) > 10


def test_what_no_query_used_is_what_was_truly_idle(seen: Seen) -> None:
    rows = seen.derived(warehouseidlecostdaily.VIEW)
    found = {
        (row["warehouse_id"], str(row["date"])): row["idle_cost"]
        for row in rows.iter_rows(named=True)
        if abs(row["idle_cost"]) > 1e-9
    }
    true = {
        (each["warehouse_id"], each["day"]): close(each["cost_usd"])
        for each in seen.truth["query_costs"]["idle"]
    }
    assert found == true
    assert rows.filter(pl.col("idle_cost") < -1e-9).is_empty()


def test_every_cut_sums_to_what_the_warehouses_cost(seen: Seen) -> None:
    whole = pytest.approx(seen.shown(warehousestatefact.VIEW)["total_dbu_cost"].sum(), rel=1e-9)
    true = sum(
        day["cost_usd"]
        for each in seen.truth["warehouses"].values()
        for day in each["days"].values()
    )
    idle, users = seen.derived(warehouseidlecostdaily.VIEW), seen.derived(sqlusercostdaily.VIEW)
    assert true == whole
    assert seen.shown(warehousestatefactdaily.VIEW)["total_dbu_cost"].sum() == whole
    assert idle["total_cost"].sum() == whole
    assert float(idle["query_cost"].sum()) + float(idle["idle_cost"].sum()) == whole
    assert users["total_dbu_cost"].sum() == whole


def test_events_of_days_that_were_read_early_are_read_once_more(
    company: Company, observed: Observed
) -> None:
    """Loaded on the morning after each, all but the last day may have got late events since."""
    org = observed.config.workspace(DAILY).organization_id
    table = "warehouse_events_bronze"
    [module] = [module for module in MODULES if module.table.name == table]
    owed = observed.deployment.owed(observed.ledger, org)
    assert owed[table] == company.days[:-1]
    observed.load([module], *company.days[:-1], workspace=DAILY)
    assert table not in observed.deployment.owed(observed.ledger, org)
    with company.at(company.end_ms + MS_PER_DAY):
        assert observed.deployment.owed(observed.ledger, org)[table] == company.days[-1:]
    assert table not in observed.deployment.owed(
        observed.ledger, observed.config.workspace(AT_ONCE).organization_id
    )
