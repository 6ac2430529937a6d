"""What a check of a deployment found, and what all findings together mean."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum

from overwatch_assets.errors import OverwatchError, SourceError, WrongSource
from overwatch_assets.secrets import redacted
from overwatch_assets.sources.rest_api.api import ApiRefused, NotAdmitted
from overwatch_assets.sources.rest_api.statements import StatementFailed

DONE, FAILED, UNREACHABLE = 0, 1, 3
RANGES_TOLD = 12


class Verdict(StrEnum):
    """What a check came to."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Attributes:
        rule: Its name; Overwatch's where it has the rule.
        workspace: Workspace id; blank: the deployment.
        verdict: What it came to.
        tried: What was done.
        came_back: What was found or answered.
        remedy: What to do; blank: nothing.
        is_unreachable: Whether it failed because nobody answered.
    """

    rule: str
    workspace: str
    verdict: Verdict
    tried: str
    came_back: str
    remedy: str = ""
    is_unreachable: bool = False

    @property
    def is_failed(self) -> bool:
        """Whether the deployment can't run as it is."""
        return self.verdict is Verdict.ERROR


@dataclass(frozen=True, slots=True)
class Check:
    """A check that is made; what it finds is said in its words.

    Attributes:
        rule: Its name.
        workspace: Workspace id; blank: the deployment.
        tried: What is done.
    """

    rule: str
    workspace: str
    tried: str

    def ok(self, came_back: str) -> Finding:
        """It is as it should be."""
        return Finding(self.rule, self.workspace, Verdict.OK, self.tried, came_back)

    def warning(self, came_back: str, remedy: str) -> Finding:
        """It can run, with less than there could be."""
        return Finding(self.rule, self.workspace, Verdict.WARNING, self.tried, came_back, remedy)

    def error(self, came_back: str, remedy: str) -> Finding:
        """It can't run."""
        return Finding(self.rule, self.workspace, Verdict.ERROR, self.tried, came_back, remedy)

    def skipped(self, why: str, remedy: str = "") -> Finding:
        """It was not made."""
        return Finding(self.rule, self.workspace, Verdict.SKIPPED, self.tried, why, remedy)

    def failed(self, error: OverwatchError, remedy: str) -> Finding:
        """It can't run: something raised one of the errors that the check is made for."""
        return replace(self.error(str(error), remedy), is_unreachable=_is_unreachable(error))


def _is_unreachable(error: OverwatchError) -> bool:
    has_answered = isinstance(error, ApiRefused | NotAdmitted | StatementFailed | WrongSource)
    return isinstance(error, SourceError) and not has_answered


@dataclass(frozen=True, slots=True)
class EmptyTable:
    """A table of a workspace that will have no rows, or not those of every day.

    Attributes:
        workspace: Workspace id.
        module_id: Id of the module.
        table: Its name.
        extent: `empty`: no rows at all; `partly`: some are missing.
        reason: Why.
    """

    workspace: str
    module_id: int
    table: str
    extent: str
    reason: str


@dataclass(frozen=True, slots=True)
class ClusterLog:
    """Where the logs of a cluster are, and what was found there.

    Attributes:
        workspace: Workspace id.
        cluster_id: The cluster.
        destination: As the cluster has it; blank: it delivers none.
        uri: As it is read; blank: it can't be.
        is_reachable: Whether it could be listed; None: it was not tried.
        files: Files that may be event logs.
        bytes: Their stored size.
        newest: Epoch ms of the latest change of a file; None: none, or the store doesn't tell.
        newest_file: That file; blank: none.
        reason: Why nothing was found; blank where something was.
    """

    workspace: str
    cluster_id: str
    destination: str
    uri: str = ""
    is_reachable: bool | None = None
    files: int = 0
    bytes: int = 0
    newest: int | None = None
    newest_file: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ClusterLogs:
    """The logs of a workspace's clusters.

    Attributes:
        workspace: Workspace id.
        told_by: Where the clusters are known from, or why none are.
        logs: Per cluster and destination.
    """

    workspace: str
    told_by: str
    logs: Sequence[ClusterLog] = ()


@dataclass
class Report:
    """Everything that was found."""

    findings: list[Finding] = field(default_factory=list[Finding])
    empty: list[EmptyTable] = field(default_factory=list[EmptyTable])
    cluster_logs: list[ClusterLogs] = field(default_factory=list[ClusterLogs])

    @property
    def failed(self) -> list[Finding]:
        """Findings that keep the deployment from running."""
        return [each for each in self.findings if each.is_failed]

    @property
    def counts(self) -> dict[str, int]:
        """Findings by verdict."""
        counted = Counter(each.verdict for each in self.findings)
        return {str(verdict): counted[verdict] for verdict in Verdict if counted[verdict]}

    @property
    def exit_code(self) -> int:
        """0 it can run, 1 a check failed, 3 only sources could not be reached."""
        if not self.failed:
            return DONE
        return UNREACHABLE if all(each.is_unreachable for each in self.failed) else FAILED

    def without_secrets(self, known: Iterable[str]) -> "Report":
        """The report with every known secret, and whatever has the shape of one, struck out."""
        secrets = tuple(known)

        def clean(text: str) -> str:
            return redacted(text, secrets)

        return Report(
            findings=[
                replace(each, tried=clean(each.tried), came_back=clean(each.came_back))
                for each in self.findings
            ],
            empty=[replace(each, reason=clean(each.reason)) for each in self.empty],
            cluster_logs=[
                replace(
                    of_workspace,
                    told_by=clean(of_workspace.told_by),
                    logs=[
                        replace(
                            each,
                            destination=clean(each.destination),
                            uri=clean(each.uri),
                            newest_file=clean(each.newest_file),
                            reason=clean(each.reason),
                        )
                        for each in of_workspace.logs
                    ],
                )
                for of_workspace in self.cluster_logs
            ],
        )


def shown_days(days: Iterable[date]) -> str:
    """Days as ranges, the first few of them: `2026-09-21 .. 2026-09-30, 2026-10-04`."""
    ranges: list[tuple[date, date]] = []
    for day in sorted(days):
        if ranges and day - ranges[-1][1] == timedelta(days=1):
            ranges[-1] = ranges[-1][0], day
        else:
            ranges.append((day, day))
    shown = [str(a) if a == b else f"{a} .. {b}" for a, b in ranges[:RANGES_TOLD]]
    more = len(ranges) - len(shown)
    return ", ".join([*shown, *([f"and {more} more ranges"] if more else [])])
