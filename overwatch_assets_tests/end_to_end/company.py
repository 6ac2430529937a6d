"""The made-up company behind its API, and deployments that observe it."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import yaml

from overwatch_assets.config import Config, config_of
from overwatch_assets.configuration.document import parse_document
from overwatch_assets.demo.company import LOG_MOUNT
from overwatch_assets.demo.emulated import emulated_workspaces
from overwatch_assets.demo.emulator.server import Clock, Emulator
from overwatch_assets.demo.setup import LOGS, Reached, demo_config_text
from overwatch_assets.demo.write import DemoWorld, write_demo
from overwatch_assets.execution.records import Record
from overwatch_assets.execution.run import Run
from overwatch_assets.module import Grain, Module
from overwatch_assets.operations.emulator import credentials_in, seen_ms
from overwatch_assets.registry import in_load_order
from overwatch_assets.resources import Deployment
from overwatch_assets_tests.laws.harness import MS_PER_DAY, comparable
from overwatch_assets_tests.memory import MemoryLedger


@dataclass
class Company:
    """The made-up company behind its API, and deployments that observe it."""

    root: Path
    demo: DemoWorld
    emulator: Emulator
    seed: int
    deployments: int = 0

    @property
    def days(self) -> list[date]:
        """The days that were played."""
        count = (self.demo.last_day - self.demo.first_day).days + 1
        return [self.demo.first_day + timedelta(days=number) for number in range(count)]

    @property
    def end_ms(self) -> int:
        """The morning after the last day: where the clock stands when nobody moves it."""
        return seen_ms(self.demo.world)

    @property
    def now(self) -> datetime:
        """Where the company's clock stands."""
        now_ms = self.emulator.clock.now_ms or self.end_ms
        return datetime.fromtimestamp(now_ms / 1000, UTC)

    @contextmanager
    def at(self, now_ms: int) -> Generator[None]:
        """The company as it was at an instant."""
        self.emulator.clock.now_ms = now_ms
        yield
        self.emulator.clock.now_ms = self.end_ms

    def deployed(
        self,
        settings: Mapping[str, object] | None = None,
        api: Mapping[str, object] | None = None,
        *,
        audit: str = f"{LOGS}/audit",
        redaction: Mapping[str, str] | None = None,
    ) -> "Observed":
        """A deployment with nothing loaded yet.

        Args:
            settings: Further keys of every workspace.
            api: Further keys of its `databricks`.
            audit: Folder of the audit logs that come from a bucket, below the company's.
            redaction: What is redacted.
        """
        self.deployments += 1
        reached = {
            each.workspace.workspace_id: Reached(
                self.emulator.address(each.workspace.workspace_id),
                each.estate.warehouses[0].warehouse_id,
            )
            for each in self.demo.world.workspaces
        }
        text = demo_config_text(self.seed, reached).replace(f"{LOGS}/audit/", f"{audit}/")
        values = yaml.safe_load(text)
        values["storage"]["root"] = f"t{self.deployments}"
        values["redaction"] = dict(redaction or {})
        for each in values["workspaces"]:
            each.update(settings or {})
            each["databricks"].update(api or {})
        content = yaml.safe_dump(values).encode()
        config = config_of(parse_document(self.root / "overwatch.yaml", content), now=self.now)
        by_table = {module.table.name: module for module in in_load_order()}
        return Observed(self, config, Deployment(config, by_table, clock=lambda: self.now))


@dataclass
class Observed:
    """A deployment and what it loaded."""

    company: Company
    config: Config
    deployment: Deployment
    ledger: MemoryLedger = field(default_factory=MemoryLedger)

    def load(
        self,
        modules: Sequence[Module],
        *days: date,
        workspace: str,
        redo: bool = False,
        retry: bool = False,
    ) -> list[Record]:
        """Load days of modules for a workspace, by its name."""
        now = self.deployment.now()
        loader = self.deployment.loader(self.ledger)
        written: list[Record] = []
        for module in modules:
            run = Run(run_id="run", snapshot=now, now=self.deployment.now, redo=redo, retry=retry)
            records = loader.load(module, self.config.workspace(workspace), days, run)
            self.ledger.write(records)
            written += records
        return written

    def load_range(self, modules: Sequence[Module], days: Sequence[date], workspace: str) -> None:
        """Some days in one run, with captures of the day that has begun."""
        captures = [module for module in modules if module.table.grain is Grain.CAPTURE]
        others = [module for module in modules if module not in captures]
        self.load(captures, self.config.day_of(self.deployment.now()), workspace=workspace)
        self.load(others, *days, workspace=workspace)

    def load_all(self, modules: Sequence[Module], *spans: Sequence[date]) -> list[Record]:
        """Audit logs, then captures of the day that has begun, then everything, span by span."""
        audit = [module for module in modules if module.table.name == "audit_log_bronze"]
        captures = [module for module in modules if module.table.grain is Grain.CAPTURE]
        others = [module for module in modules if module not in (*audit, *captures)]
        today = self.config.day_of(self.deployment.now())
        written: list[Record] = []
        for each in self.config.workspaces:
            written += self.load(audit, *self.company.days, workspace=each.name)
            written += self.load(captures, today, workspace=each.name)
            for span in spans:
                written += self.load(others, *span, workspace=each.name)
        return written

    def load_daily(self, modules: Sequence[Module], days: Sequence[date], workspace: str) -> None:
        """Each day on the morning after it, captures of that morning first."""
        captures = [module for module in modules if module.table.grain is Grain.CAPTURE]
        audit = [module for module in modules if module.table.name == "audit_log_bronze"]
        others = [module for module in modules if module not in (*audit, *captures)]
        last = self.company.days[-1]
        for day in days:
            days_before_end = (last - day).days
            with self.company.at(self.company.end_ms - days_before_end * MS_PER_DAY):
                self.load(audit, day, workspace=workspace)
                self.load(captures, day + timedelta(days=1), workspace=workspace)
                self.load(others, day, workspace=workspace)

    def tables(self, modules: Sequence[Module]) -> dict[str, pl.DataFrame]:
        """What is stored, as laws compare it."""
        return {
            module.table.name: comparable(
                module.table, self.deployment.store.scan(module.table).collect()
            )
            for module in modules
        }


@contextmanager
def open_company(
    root: Path, *, days: int, scale: float, seed: int = 7, spark_logs: bool = False
) -> Generator[Company]:
    """The company with so many days, behind its API."""
    demo = write_demo(root / LOGS, seed=seed, days=days, scale=scale, spark_logs=spark_logs)
    workspaces = emulated_workspaces(demo.world, demo.log_mounts[LOG_MOUNT])
    _, credentials = credentials_in(root)
    clock = Clock(seen_ms(demo.world))
    account_id = demo.world.company.account_id
    with Emulator(workspaces, credentials, clock=clock, account_id=account_id) as emulator:
        yield Company(root, demo, emulator, seed)
