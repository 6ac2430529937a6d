"""Loads what a plan says, through Dagster, and tells what came of it."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from itertools import groupby

import dagster as dg
from dagster_shared.error import SerializableErrorInfo

from overwatch_assets.assets import REDO_TAG, RETRY_TAG
from overwatch_assets.definitions import build_definitions
from overwatch_assets.errors import OverwatchError, SourceError
from overwatch_assets.execution.redo import Step
from overwatch_assets.execution.windows import contiguous
from overwatch_assets.jobs import EVERYTHING
from overwatch_assets.materializations import DagsterLedger
from overwatch_assets.operations.plan import Plan
from overwatch_assets.operations.reaper import process_tag
from overwatch_assets.partitions import range_tags
from overwatch_assets.price_assets import STEP as PRICES
from overwatch_assets.reference.tables import REFERENCE_TABLES
from overwatch_assets.registry import MODULES
from overwatch_assets.resources import Deployment

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class Outcome(StrEnum):
    """What came of a table of a workspace."""

    SUCCESS = "SUCCESS"
    EMPTY = "EMPTY"
    FAILED = "FAILED"
    BLOCKED = "BLOCKED"
    STOPPED = "STOPPED"


_SEVERITY = (Outcome.EMPTY, Outcome.SUCCESS, Outcome.STOPPED, Outcome.BLOCKED, Outcome.FAILED)


@dataclass(frozen=True, slots=True)
class TableResult:
    """What came of one table of one workspace.

    Attributes:
        table: Its name; `prices` for the price tables together, of which only a failure is told.
        days: Days that were loaded; none of the price tables, which have none.
        error: First line of what went wrong; blank: nothing.
        reason: Why an empty table is empty; blank where it isn't.
        is_source: Whether a source could not be reached.
    """

    table: str
    organization_id: str
    days: tuple[date, ...]
    outcome: Outcome
    rows: int = 0
    error: str = ""
    reason: str = ""
    is_source: bool = False


@dataclass
class RunReport:
    """What came of a plan."""

    results: list[TableResult] = field(default_factory=list[TableResult])
    is_stopped: bool = False

    @property
    def outcomes(self) -> dict[tuple[str, str], Outcome]:
        """What came of each table of a workspace: the worst of it, and empty if all of it is."""
        worst: dict[tuple[str, str], Outcome] = {}
        for result in sorted(self.results, key=lambda each: _SEVERITY.index(each.outcome)):
            worst[result.organization_id, result.table] = result.outcome
        return worst

    @property
    def counts(self) -> dict[str, int]:
        """Tables by outcome, in the order of `Outcome`."""
        counted = Counter(self.outcomes.values())
        return {str(outcome): counted[outcome] for outcome in Outcome if counted[outcome]}

    @property
    def failed(self) -> list[TableResult]:
        """Tables that failed or could not begin."""
        bad = (Outcome.FAILED, Outcome.BLOCKED, Outcome.STOPPED)
        return [result for result in self.results if result.outcome in bad]


@dataclass(frozen=True)
class Runner:
    """Runs plans on a Dagster instance.

    Attributes:
        began: Told of each Dagster run before it begins: workspace, tables, and the days of all
            of them together.
    """

    deployment: Deployment
    instance: dg.DagsterInstance
    began: Callable[[str, int, int], None] = lambda _org, _tables, _days: None

    @property
    def ledger(self) -> DagsterLedger:
        """What is known of loaded days."""
        return DagsterLedger(self.instance)

    def run(self, plan: Plan) -> RunReport:
        """Load the steps: what is owed, what was asked of the same days, then what follows.

        A workspace's price tables are refreshed with the first of its runs.
        """
        report = RunReport()
        for step in plan.owed:
            self._together([step], report, {RETRY_TAG: "true"})
            if self._is_stopped(report):
                return report
        for steps in _of_same_days(plan.asked):
            self._together(steps, report, {})
            if self._is_stopped(report):
                return report
        for step in plan.downstream:
            for days in contiguous(step.days):
                part = Step(step.module, step.organization_id, tuple(days), step.reason, 0)
                self._together([part], report, {REDO_TAG: "true"})
                if self._is_stopped(report):
                    return report
        return report

    @cached_property
    def _everything(self) -> dg.JobDefinition:
        """All tables; made once for all runs of a plan."""
        definitions = build_definitions(deployment=self.deployment, modules=MODULES)
        return definitions.resolve_job_def(EVERYTHING)

    def _is_stopped(self, report: RunReport) -> bool:
        report.is_stopped = self.deployment.stopping.is_set()
        return report.is_stopped

    def _together(self, steps: Sequence[Step], report: RunReport, tags: dict[str, str]) -> None:
        days = steps[0].days
        organization_id = steps[0].organization_id
        self.began(organization_id, len(steps), sum(len(step.days) for step in steps))
        names = [step.module.table.name for step in steps]
        is_begun = any(each.organization_id == organization_id for each in report.results)
        prices = () if is_begun else (table.name for table in REFERENCE_TABLES)
        result = self._everything.execute_in_process(
            run_config=QUIET,
            instance=self.instance,
            asset_selection=[dg.AssetKey(name) for name in (*names, *prices)],
            tags={**tags, **process_tag(), **range_tags(organization_id, days[0], days[-1])},
            raise_on_error=False,
        )
        failures = {
            event.step_key: event.step_failure_data.error
            for event in result.all_events
            if event.is_step_failure and event.step_failure_data.error
        }
        if PRICES in failures:
            kind, message = _cause(failures[PRICES])
            is_source = kind in _source_errors()
            report.results.append(
                TableResult(
                    PRICES,
                    organization_id,
                    (),
                    Outcome.FAILED,
                    error=message,
                    is_source=is_source,
                )
            )
        done = {event.step_key for event in result.all_events if event.is_step_success}
        for step in steps:
            name = step.module.table.name
            cell = TableResult(name, organization_id, step.days, Outcome.BLOCKED)
            if name in done:
                records = list(self.ledger.latest(name, organization_id, step.days).values())
                rows = sum(record.rows for record in records)
                outcome = Outcome.SUCCESS if rows else Outcome.EMPTY
                reason = records[-1].reason if records and not rows else ""
                cell = TableResult(name, organization_id, step.days, outcome, rows, reason=reason)
            elif name in failures:
                kind, message = _cause(failures[name])
                stopped = self.deployment.stopping.is_set()
                cell = TableResult(
                    name,
                    organization_id,
                    step.days,
                    Outcome.STOPPED if stopped else Outcome.FAILED,
                    error=message,
                    is_source=kind in _source_errors(),
                )
            report.results.append(cell)


def _of_same_days(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Adjacent steps of the same workspace and days."""
    for _, same in groupby(steps, key=lambda step: (step.organization_id, step.days)):
        yield list(same)


def _cause(error: SerializableErrorInfo) -> tuple[str, str]:
    """Class and first line of the error at the bottom."""
    while error.cause is not None:
        error = error.cause
    name = error.cls_name or ""
    line = error.message.strip().splitlines()[0] if error.message.strip() else name
    return name, line.rpartition(f"{name}: ")[2]


def _source_errors() -> set[str]:
    def below(error: type[OverwatchError]) -> Iterator[str]:
        yield error.__name__
        for each in error.__subclasses__():
            yield from below(each)

    return set(below(SourceError))
