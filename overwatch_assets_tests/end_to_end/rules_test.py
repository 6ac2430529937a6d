"""What Dagster shows of the rules when days of the made-up company are materialised."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import dagster as dg
import polars as pl
import pytest
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecord,
    AssetCheckExecutionRecordStatus,
)

from overwatch_assets.definitions import build_definitions
from overwatch_assets.module import Grain, Module
from overwatch_assets.partitions import key_of, range_tags
from overwatch_assets.presentation import clusteridlecostdaily
from overwatch_assets.presentation.reading import Reach, derived_rows
from overwatch_assets.resources import Deployment
from overwatch_assets_tests.end_to_end.company import Company, Observed, open_company
from overwatch_assets_tests.end_to_end.month import BY_TABLE, MODULES

WORKSPACE = "tidewater-lab"
FACT, STATES = "jobruncostpotentialfact_gold", "clusterstatefact_gold"


@dataclass(frozen=True)
class Shown:
    """A deployment whose days were materialised by Dagster."""

    company: Company
    observed: Observed
    instance: dg.DagsterInstance
    organization_id: str

    def results(self, table: str, rule: str) -> list[AssetCheckExecutionRecord]:
        """Results of an asset check, the newest first."""
        key = dg.AssetCheckKey(dg.AssetKey(table), rule)
        return list(
            self.instance.event_log_storage.get_asset_check_execution_history(key, limit=100)
        )

    def figures(self, table: str, rule: str, day: date) -> dict[str, object]:
        """What an asset check says of a day."""
        key = str(key_of(self.organization_id, day))
        [told] = [each.evaluation for each in self.results(table, rule) if each.partition == key]
        assert told is not None
        return {name: value.value for name, value in told.metadata.items()}


def materialized(
    observed: Observed, instance: dg.DagsterInstance, modules: list[Module], *days: date
) -> bool:
    """Materialise days of modules, as `overwatch run` would."""
    deployment: Deployment = observed.deployment
    definitions = build_definitions(deployment=deployment, modules=MODULES)
    workspace = observed.config.workspace(WORKSPACE).organization_id
    job = definitions.resolve_job_def("overwatch")
    return job.execute_in_process(
        instance=instance,
        tags=range_tags(workspace, days[0], days[-1]),
        asset_selection=[dg.AssetKey(module.table.name) for module in modules],
        raise_on_error=False,
    ).success


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    root = tmp_path_factory.mktemp("company")
    with open_company(root, days=2, scale=0.1) as company, dg.DagsterInstance.ephemeral() as kept:
        observed = company.deployed()
        captures = [module for module in MODULES if module.table.grain is Grain.CAPTURE]
        audit = [module for module in MODULES if module.table.name == "audit_log_bronze"]
        others = [module for module in MODULES if module not in (*captures, *audit)]
        today = observed.config.day_of(company.now)
        assert materialized(observed, kept, audit, *company.days)
        assert materialized(observed, kept, captures, today)
        assert materialized(observed, kept, others, *company.days)
        yield Shown(company, observed, kept, observed.config.workspace(WORKSPACE).organization_id)


def test_every_rule_has_a_result_on_every_day_and_none_is_red(shown: Shown) -> None:
    days = {str(key_of(shown.organization_id, day)) for day in shown.company.days}
    for module in MODULES:
        for rule in module.rules:
            results = shown.results(module.table.name, rule.name)
            assert {each.partition for each in results} == days, rule.name
            severities = {each.evaluation.severity for each in results if each.evaluation}
            expected = (
                dg.AssetCheckSeverity.WARN if rule.is_warning else dg.AssetCheckSeverity.ERROR
            )
            assert severities == {expected}
            if not rule.is_warning:
                statuses = {each.status for each in results}
                assert statuses == {AssetCheckExecutionRecordStatus.SUCCEEDED}, rule.name


def test_what_checks_say_that_clusters_cost_and_runs_bear_is_what_views_show(shown: Shown) -> None:
    reach = Reach(workspaces=[shown.organization_id])
    store = shown.observed.deployment.store
    view = derived_rows(store, clusteridlecostdaily.VIEW, BY_TABLE, reach).collect()
    last = shown.company.days[-1]
    told = shown.figures(FACT, "idle_is_not_negative", last)
    of_run_days = view.filter(pl.col("run_cost") > 0, pl.col("date") <= last)
    assert told["compared"] != 0
    assert float(str(told["runs cost"])) <= float(of_run_days["run_cost"].sum()) + 1e-9
    assert float(str(told["idle cost"])) >= 0
    stored = store.scan(BY_TABLE[STATES], shown.organization_id, [last])
    total = stored.select(pl.col("total_cost").sum()).collect().item()
    states = shown.figures(STATES, "costs_are_sums", last)
    assert total > 0
    assert states["total cost"] == pytest.approx(total)


def test_states_on_each_day_are_all_the_time_of_their_clusters(shown: Shown) -> None:
    for day in shown.company.days:
        figures = shown.figures("cluster_state_detail_silver", "state_time_is_cluster_time", day)
        assert figures["cluster ms"] == figures["states ms"] != 0
        events = shown.figures("cluster_state_detail_silver", "events_open_states", day)
        assert events["events"] == int(str(events["states opened"])) + int(
            str(events["events ignored"])
        )
