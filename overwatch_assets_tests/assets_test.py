"""What Dagster shows of a run: materialisations and asset checks, each of its partition."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from dagster._core.storage.asset_check_execution_record import AssetCheckPartitionInfo

from overwatch_assets.assets import REDO_TAG
from overwatch_assets.definitions import build_definitions
from overwatch_assets.execution.load import Loader
from overwatch_assets.execution.records import Ledger
from overwatch_assets.execution.tables import AnyTables
from overwatch_assets.expressions.rules import keeps_rows
from overwatch_assets.module import HOLDS, Module, Rule, Window
from overwatch_assets.operations.dagster_home import open_instance
from overwatch_assets.partitions import key_of, range_tags
from overwatch_assets.resources import Deployment
from overwatch_assets_tests.configuration.loading import loaded
from overwatch_assets_tests.execution.toy import (
    MONDAY,
    TUESDAY,
    WEDNESDAY,
    Instances,
    instance_events_bronze,
    instance_runs_gold,
    instance_runs_silver,
)

ACME, OTHER = "5206439413157315", "7000000000000007"
GOLD = dg.AssetKey("instance_runs_gold")
NOW = datetime(2024, 6, 1, tzinfo=UTC)


def at(day: date, hour: int) -> int:
    return round((datetime(day.year, day.month, day.day, hour, tzinfo=UTC)).timestamp() * 1000)


EVENTS = [
    ("i-1", at(MONDAY, 8), "START"),
    ("i-1", at(MONDAY, 9), "STOP"),
    ("i-2", at(MONDAY, 10), "START"),
    ("i-2", at(TUESDAY, 11), "STOP"),
    ("i-3", at(WEDNESDAY, 3), "START"),
]


def long_ones(rows: pl.LazyFrame) -> pl.LazyFrame:
    long = rows.filter(pl.col("hours") > 24)
    return long.select("instance_id", rows=pl.lit(1), hours="hours").with_columns(
        pl.lit(value=False).alias(HOLDS)
    )


RULES = (
    keeps_rows("instance_runs_silver", by={"instance_id": pl.col("instance_id")}),
    Rule(
        "runs_are_short", "no run is long", long_ones, ("instance_id",), "Stop it.", is_warning=True
    ),
)


@dataclass
class Faulty:
    """The gold module, which loses an instance while it is told to."""

    lost: str | None = None

    def modules(self) -> list[Module]:
        def transform(instance_runs_silver: pl.LazyFrame, *, window: Window) -> pl.LazyFrame:
            rows = instance_runs_gold.transform(instance_runs_silver, window=window)
            return rows.filter(pl.col("instance_id").ne_missing(self.lost))

        gold = replace(instance_runs_gold, rules=RULES, transform=transform)
        return [instance_events_bronze, instance_runs_silver, gold]


@dataclass
class ToyDeployment(Deployment):
    """A deployment of the small modules."""

    source: Instances = field(default_factory=Instances)

    def loader(self, ledger: Ledger, store: AnyTables | None = None) -> Loader:
        def source_of(_organization_id: str) -> Instances:
            return self.source

        return replace(super().loader(ledger, store), sources={"instances": source_of})


@dataclass
class Deployed:
    """The small modules in Dagster, on Delta tables."""

    instance: dg.DagsterInstance
    deployment: ToyDeployment
    faulty: Faulty

    def run(
        self, *days: date, workspace: str = ACME, redo: bool = False
    ) -> dg.ExecuteInProcessResult:
        definitions = build_definitions(
            config=self.deployment.config,
            modules=list(self.deployment.modules.values()),
            deployment=self.deployment,
        )
        gold_job = definitions.resolve_job_def("overwatch")
        return gold_job.execute_in_process(
            instance=self.instance,
            tags={
                **range_tags(workspace, days[0], days[-1]),
                **({REDO_TAG: "true"} if redo else {}),
            },
            asset_selection=[dg.AssetKey(name) for name in self.deployment.modules],
            raise_on_error=False,
        )

    def shown(self, rule: str) -> dict[str | None, AssetCheckPartitionInfo]:
        """The newest state of an asset check by partition, as the UI asks for it."""
        key = dg.AssetCheckKey(GOLD, rule)
        found = self.instance.event_log_storage.get_asset_check_partition_info([key])
        return {each.partition_key: each for each in found}

    def evaluation(self, rule: str, day: date, workspace: str = ACME) -> dg.AssetCheckEvaluation:
        """The newest result of an asset check of a partition."""
        records = self.instance.event_log_storage.get_asset_check_execution_history(
            dg.AssetCheckKey(GOLD, rule), limit=50
        )
        found = [
            each.event.asset_check_evaluation
            for each in records
            if each.event and each.partition == str(key_of(workspace, day))
        ]
        return next(each for each in found if each is not None)

    def statuses(self, rule: str) -> dict[str, str]:
        return {
            str(key): each.latest_execution_status.value for key, each in self.shown(rule).items()
        }

    def rows(self) -> pl.DataFrame:
        return self.deployment.store.scan(instance_runs_gold.table).collect()


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[Deployed]:
    workspaces = "".join(
        f'  - {{workspace_id: "{each}", workspace_name: w{each}, cloud: aws, '
        f"primordial_date: {MONDAY}, enabled_scopes: [audit, sparkEvents]}}\n"
        for each in (ACME, OTHER)
    )
    config = loaded(f"storage: {{root: {tmp_path / 'tables'}}}\nworkspaces:\n{workspaces}", now=NOW)
    faulty = Faulty()
    modules = {module.table.name: module for module in faulty.modules()}
    deployment = ToyDeployment(config, modules, clock=lambda: NOW, source=Instances(EVENTS))
    with open_instance(tmp_path / "dagster") as instance:
        yield Deployed(instance, deployment, faulty)


def keys(workspace: str, *days: date) -> list[str]:
    return [str(key_of(workspace, day)) for day in days]


def test_each_rule_is_a_check_of_the_asset_with_its_partitions(deployed: Deployed) -> None:
    definitions = build_definitions(
        config=deployed.deployment.config, modules=deployed.faulty.modules()
    )
    graph = definitions.resolve_asset_graph()
    for rule in RULES:
        node = graph.get(dg.AssetCheckKey(GOLD, rule.name))
        assert node.partitions_def == graph.get(GOLD).partitions_def
        assert graph.get_check_spec(node.key).description == rule.doc


def test_a_range_run_shows_the_result_of_every_rule_on_each_of_its_days(deployed: Deployed) -> None:
    week = (MONDAY, TUESDAY, WEDNESDAY)
    assert deployed.run(*week).success
    assert deployed.statuses("rows_are_kept") == dict.fromkeys(keys(ACME, *week), "SUCCEEDED")
    monday, tuesday, wednesday = keys(ACME, *week)
    expected = {monday: "SUCCEEDED", tuesday: "FAILED", wednesday: "SUCCEEDED"}
    assert deployed.statuses("runs_are_short") == expected
    assert all(each.is_current for each in deployed.shown("rows_are_kept").values())
    kept = deployed.evaluation("rows_are_kept", MONDAY)
    figures = {name: each.value for name, each in kept.metadata.items()}
    assert figures == {"compared": 2, "broken": 0, "rows here": 2, "rows there": 2}
    assert kept.severity is dg.AssetCheckSeverity.ERROR


def test_a_warning_tells_what_is_incomplete_and_what_to_do_and_turns_nothing_red(
    deployed: Deployed,
) -> None:
    assert deployed.run(MONDAY, TUESDAY).success
    told = deployed.evaluation("runs_are_short", TUESDAY)
    assert (told.passed, told.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert told.description == "incomplete: 1 rows, 25.0 hours. Stop it."
    assert told.metadata["examples"].value == ["instance_id i-2: rows 1, hours 25"]


def test_a_broken_rule_turns_step_and_check_red_and_nothing_of_the_day_is_stored(
    deployed: Deployed,
) -> None:
    deployed.run(MONDAY)
    deployed.run(MONDAY, workspace=OTHER)
    stood = deployed.rows()
    deployed.faulty.lost = "i-2"
    result = deployed.run(TUESDAY)
    assert not result.success
    [failed] = [each for each in result.all_events if each.is_step_failure]
    assert failed.step_key == "instance_runs_gold"
    assert "rule rows_are_kept is broken in 1 of 1" in str(failed.step_failure_data.error)
    assert deployed.rows().equals(stood)
    [tuesday] = keys(ACME, TUESDAY)
    stand = [*keys(ACME, MONDAY), *keys(OTHER, MONDAY)]
    statuses = {tuesday: "FAILED", **dict.fromkeys(stand, "SUCCEEDED")}
    assert deployed.statuses("rows_are_kept") == statuses
    told = deployed.evaluation("rows_are_kept", TUESDAY)
    assert told.metadata["examples"].value == ["instance_id i-2: rows_here 0, rows_there 1"]
    assert deployed.instance.get_materialized_partitions(GOLD) == set(stand)


def test_the_check_is_green_again_when_the_day_is_loaded_without_the_fault(
    deployed: Deployed,
) -> None:
    deployed.faulty.lost = "i-1"
    assert not deployed.run(MONDAY).success
    deployed.faulty.lost = None
    assert deployed.run(MONDAY).success
    [monday] = keys(ACME, MONDAY)
    assert deployed.statuses("rows_are_kept") == {monday: "SUCCEEDED"}
    assert deployed.shown("rows_are_kept")[monday].is_current


def test_a_day_that_stood_is_red_when_it_is_loaded_again_and_breaks_a_rule(
    deployed: Deployed,
) -> None:
    assert deployed.run(MONDAY).success
    stood = deployed.rows()
    deployed.faulty.lost = "i-1"
    assert not deployed.run(MONDAY).success
    [monday] = keys(ACME, MONDAY)
    assert deployed.statuses("rows_are_kept") == {monday: "FAILED"}
    assert deployed.shown("rows_are_kept")[monday].is_current
    assert deployed.rows().equals(stood)


def test_a_redo_that_leaves_days_as_they_are_shows_what_came_of_their_rules(
    deployed: Deployed,
) -> None:
    week = (MONDAY, TUESDAY, WEDNESDAY)
    deployed.run(*week)
    assert deployed.run(*week, redo=True).success
    assert all(each.is_current for each in deployed.shown("runs_are_short").values())
    assert list(deployed.statuses("runs_are_short").values()).count("FAILED") == 1
