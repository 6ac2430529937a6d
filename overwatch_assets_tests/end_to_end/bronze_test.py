"""The whole bronze layer over the made-up company: however it is loaded, the tables are equal."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from overwatch_assets.config import Config, config_of
from overwatch_assets.configuration.document import parse_document
from overwatch_assets.demo.company import LOG_MOUNT
from overwatch_assets.demo.emulated import emulated_workspaces
from overwatch_assets.demo.emulator.faults import Fault, FaultRule, Storm
from overwatch_assets.demo.emulator.server import Clock, Emulator
from overwatch_assets.demo.setup import LOGS, Reached, demo_config_text
from overwatch_assets.demo.write import FIRST_DAY, DemoWorld, write_demo
from overwatch_assets.execution.records import Record
from overwatch_assets.execution.run import Run
from overwatch_assets.module import Grain, Layer, Module
from overwatch_assets.operations.emulator import credentials_in, seen_ms
from overwatch_assets.registry import in_load_order
from overwatch_assets.resources import Deployment
from overwatch_assets_tests.laws.harness import comparable
from overwatch_assets_tests.memory import MemoryLedger

DAYS = [FIRST_DAY + timedelta(days=number) for number in range(2)]
BRONZE = [module for module in in_load_order() if module.layer is Layer.BRONZE]


@dataclass
class Company:
    """The made-up company behind its API, and deployments that observe it."""

    root: Path
    demo: DemoWorld
    emulator: Emulator
    deployments: int = 0

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(seen_ms(self.demo.world) / 1000, UTC)

    def deployed(self) -> "Observed":
        """A deployment with nothing loaded yet."""
        self.deployments += 1
        reached = {
            each.workspace.workspace_id: Reached(
                self.emulator.address(each.workspace.workspace_id),
                each.estate.warehouses[0].warehouse_id,
            )
            for each in self.demo.world.workspaces
        }
        text = demo_config_text(7, reached).replace("root: tables", f"root: t{self.deployments}")
        config = config_of(
            parse_document(self.root / "overwatch.yaml", text.encode()), now=self.now
        )
        by_table = {module.table.name: module for module in in_load_order()}
        return Observed(config, Deployment(config, by_table, clock=lambda: self.now))


@dataclass
class Observed:
    config: Config
    deployment: Deployment
    ledger: MemoryLedger = field(default_factory=MemoryLedger)

    def load(self, modules: Sequence[Module], *days: date, workspace: str) -> list[Record]:
        now = self.deployment.now()
        loader = self.deployment.loader(self.ledger)
        written: list[Record] = []
        for module in modules:
            run = Run(run_id="run", snapshot=now, now=self.deployment.now)
            records = loader.load(module, self.config.workspace(workspace), days, run)
            self.ledger.write(records)
            written += records
        return written

    def load_all(self, *spans: Sequence[date]) -> None:
        """Audit logs, then captures of the day that has begun, then everything, span by span."""
        audit = [module for module in BRONZE if module.table.name == "audit_log_bronze"]
        captures = [module for module in BRONZE if module.table.grain is Grain.CAPTURE]
        others = [module for module in BRONZE if module not in (*audit, *captures)]
        today = self.config.day_of(self.deployment.now())
        for each in self.config.workspaces:
            self.load(audit, *DAYS, workspace=each.name)
            self.load(captures, today, workspace=each.name)
            for span in spans:
                self.load(others, *span, workspace=each.name)

    def tables(self, modules: Sequence[Module] = BRONZE) -> dict[str, pl.DataFrame]:
        return {
            module.table.name: comparable(
                module.table, self.deployment.store.scan(module.table).collect()
            )
            for module in modules
        }


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    root = tmp_path_factory.mktemp("company")
    demo = write_demo(root / LOGS, days=len(DAYS), scale=0.3, spark_logs=False)
    workspaces = emulated_workspaces(demo.world, demo.log_mounts[LOG_MOUNT])
    _, credentials = credentials_in(root)
    clock = Clock(seen_ms(demo.world))
    account_id = demo.world.company.account_id
    with Emulator(workspaces, credentials, clock=clock, account_id=account_id) as emulator:
        yield Company(root, demo, emulator)


@pytest.fixture(scope="module")
def calm(company: Company) -> dict[str, pl.DataFrame]:
    """The tables as one undisturbed load makes them."""
    observed = company.deployed()
    observed.load_all(DAYS)
    found = observed.tables()
    quiet = {"job_runs_snapshot_bronze", "spark_events_bronze"}
    assert {name for name, rows in found.items() if rows.is_empty()} == quiet
    return found


@pytest.fixture(autouse=True)
def fair_weather(company: Company) -> Iterator[None]:
    yield
    company.emulator.faults.clear()
    company.emulator.faults.storm = None


def differences(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> list[str]:
    return [name for name in one if not one[name].equals(other[name])]


def test_day_by_day_in_a_storm_of_faults_gives_what_one_calm_range_gives(
    company: Company, calm: dict[str, pl.DataFrame]
) -> None:
    faults = company.emulator.faults
    faults.storm = Storm(seed=3, throttled=0.01, server_error=0.005, reset=0.005, retry_after=0)
    repeated = FaultRule(Fault.REPEATED_PAGE, "POST */clusters/events", {1, 4})
    broken = FaultRule(Fault.CUT, "GET */jobs/list", {0})
    for each in (repeated, broken):
        faults.add(each)
    observed = company.deployed()
    observed.load_all(*([day] for day in DAYS))
    assert differences(calm, observed.tables()) == []
    assert broken.fired == 1


def test_one_forbidden_cluster_is_told_and_costs_no_other(
    company: Company, calm: dict[str, pl.DataFrame]
) -> None:
    events = calm["cluster_events_bronze"]
    workspace, cluster = events.select("organization_id", "cluster_id").row(0)
    rule = FaultRule(Fault.FORBIDDEN, "POST */clusters/events", about=cluster)
    company.emulator.faults.add(rule)
    observed = company.deployed()
    observed.load_all(DAYS)
    found = observed.tables()
    is_other = ~(pl.col("cluster_id") == cluster)
    assert found["cluster_events_bronze"].equals(events.filter(is_other))
    assert differences(calm, found) == ["cluster_events_bronze"]
    [module] = [each for each in BRONZE if each.table.name == "cluster_events_bronze"]
    assert module.errors is not None
    errors = observed.deployment.store.scan(module.errors).collect()
    of_cluster = (pl.col("organization_id") == workspace) & ~is_other
    assert errors.filter(of_cluster)["error"].str.contains("PERMISSION_DENIED").to_list() == [True]
    assert not errors.filter(~of_cluster)["error"].str.contains("PERMISSION_DENIED").any()


def test_one_workspace_that_is_down_leaves_the_others_whole(
    company: Company, calm: dict[str, pl.DataFrame]
) -> None:
    observed = company.deployed()
    down, *up = observed.config.workspaces
    rule = FaultRule(Fault.FORBIDDEN, "*/clusters/*", workspace_id=down.organization_id)
    company.emulator.faults.add(rule)
    audit = [module for module in BRONZE if module.table.name == "audit_log_bronze"]
    captures = [module for module in BRONZE if module.table.name == "clusters_snapshot_bronze"]
    today = observed.config.day_of(observed.deployment.now())
    for each in (down, *up):
        observed.load(audit, *DAYS, workspace=each.name)
    with pytest.raises(Exception, match="PERMISSION_DENIED"):
        observed.load(captures, today, workspace=down.name)
    for each in up:
        observed.load(captures, today, workspace=each.name)
    found = observed.tables([*audit, *captures])
    of_others = pl.col("organization_id") != down.organization_id
    assert found["audit_log_bronze"].equals(calm["audit_log_bronze"])
    expected = calm["clusters_snapshot_bronze"].filter(of_others)
    assert found["clusters_snapshot_bronze"].equals(expected)
