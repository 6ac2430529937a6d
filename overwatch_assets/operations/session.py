"""One command's work on a deployment: its instance, its signals, what it shows meanwhile."""

import signal
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, partial
from types import FrameType

import duckdb
from rich.console import Console

from overwatch_assets.config import Config
from overwatch_assets.errors import StorageError
from overwatch_assets.operations.beside_signals import beside_signals
from overwatch_assets.operations.dagster_home import open_instance
from overwatch_assets.operations.parallel import run_side_by_side
from overwatch_assets.operations.plan import Plan, Selection, days_asked, plan_run
from overwatch_assets.operations.progress import display_for
from overwatch_assets.operations.publishing import publish
from overwatch_assets.operations.reaper import reap
from overwatch_assets.operations.run import Runner, RunReport
from overwatch_assets.registry import in_load_order
from overwatch_assets.resources import Deployment


@dataclass
class Session:
    """A configuration at work.

    Attributes:
        config: The configuration.
        console: Where progress is shown.
        clock: Tells the time of a made-up world, also in other processes, to which it is sent;
            None: the machine's clock tells it.
    """

    config: Config
    console: Console
    clock: Callable[[], datetime] | None = None

    @cached_property
    def deployment(self) -> Deployment:
        """Store and sources."""
        by_table = {module.table.name: module for module in in_load_order()}
        return Deployment(config=self.config, modules=by_table, clock=self.clock)

    @cached_property
    def runner(self) -> Runner:
        """What runs plans."""
        return Runner(self.deployment, open_instance(self.config.dagster_home))

    def plan(
        self,
        selection: Selection,
        workspaces: Sequence[str] = (),
        first: date | None = None,
        last: date | None = None,
    ) -> Plan:
        """What loading days would do.

        Raises:
            ConfigError: An argument fits nothing that is configured.
        """
        asked = [self.config.workspace(each) for each in workspaces] or self.config.workspaces
        today = self.config.day_of(self.deployment.now())
        days = days_asked(self.config, asked, first, last, today)
        modules = in_load_order()
        captured = {each.organization_id: today for each in asked if last is None and each.has_api}
        chosen = selection.choose(modules)
        ledger = self.runner.ledger
        owed = {org: self.deployment.owed(ledger, org) for org in captured}
        return plan_run(modules, chosen, ledger, days, captured=captured, owed=owed)

    def load(self, plan: Plan) -> RunReport:
        """Load what a plan says, with progress; the first signal stops after the day at hand.

        Several workspaces are loaded side by side, as many as are configured.
        """
        names = {each.organization_id: each.name for each in self.config.workspaces}
        display = display_for(self.console, names)
        reap(self.runner.instance)
        count = min(self.config.parallel_workspaces, len({s.organization_id for s in plan.steps}))
        with _stopping(self.deployment, self.console), display:
            if count > 1:
                report = run_side_by_side(self.deployment, plan, display, count)
            else:
                self.deployment.progress = display.loaded
                runner = Runner(self.deployment, self.runner.instance, began=display.began)
                report = beside_signals(partial(runner.run, plan))
        self._publish()
        return report

    def _publish(self) -> None:
        """Show BI tools what was loaded; what was loaded stands whether or not that works."""
        path = self.config.duckdb_file
        try:
            publish(self.config)
        except (OSError, duckdb.Error, StorageError) as error:
            told = f"WARNING {path} could not be written, it shows what it did before: {error}"
            self.console.print(told, highlight=False, markup=False, soft_wrap=True)
            self.console.print("  `duckdb_file` may name another place; every run writes it anew")


@contextmanager
def _stopping(deployment: Deployment, console: Console) -> Generator[None]:
    """The first SIGINT or SIGTERM asks to stop; the second is not held back."""
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {each: signal.getsignal(each) for each in signals}

    def stop(number: int, _frame: FrameType | None) -> None:
        deployment.stopping.set()
        console.print("stopping after the day at hand; once more stops at once")
        for each in signals:
            signal.signal(each, before[each])
        if number == signal.SIGTERM:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    for each in signals:
        signal.signal(each, stop)
    try:
        yield
    finally:
        for each in signals:
            signal.signal(each, before[each])
