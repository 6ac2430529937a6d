"""Which tables of a workspace will stay empty, or lack days, and why: said before the first run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from overwatch_assets.config import Workspace
from overwatch_assets.module import Grain, Module
from overwatch_assets.operations.validation.findings import EmptyTable
from overwatch_assets.operations.validation.probes import PROBES, why_not_asked

EMPTY, PARTLY = "empty", "partly"


@dataclass(frozen=True, slots=True)
class Lacking:
    """What can't be had of a workspace.

    Attributes:
        audit_logs: Why there is no audit log; blank: there is one.
        spark_event_logs: Why there are no event logs; blank: there are.
        api: Why the API can't be asked; blank: it can.
        denied: By source of the API why it tells nothing.
    """

    audit_logs: str = ""
    spark_event_logs: str = ""
    api: str = ""
    denied: Mapping[str, str] = field(default_factory=dict[str, str])

    def of_source(self, source: str) -> str:
        """Why a source gives nothing; blank: it gives something."""
        match source:
            case "audit_logs":
                return self.audit_logs
            case "spark_event_logs":
                return self.spark_event_logs
            case _:
                return self.api or self.denied.get(source, "")


def empty_tables(
    workspace: Workspace, modules: Sequence[Module], lacking: Lacking, today: date
) -> list[EmptyTable]:
    """Tables that will have no rows, or not those of all days.

    Args:
        workspace: The workspace.
        modules: In load order.
        lacking: What can't be had.
        today: The day that has begun.
    """
    extents: dict[str, str] = {}
    found: list[EmptyTable] = []
    for module in modules:
        extent, reason = _of_module(workspace, module, lacking, today, extents)
        if reason:
            name = module.table.name
            extents[name] = extent
            found.append(
                EmptyTable(workspace.organization_id, module.module_id, name, extent, reason)
            )
    return sorted(found, key=lambda each: each.module_id)


def _of_module(
    workspace: Workspace,
    module: Module,
    lacking: Lacking,
    today: date,
    extents: Mapping[str, str],
) -> tuple[str, str]:
    """How far a table is empty, and why; no reason: it is not."""
    if reason := why_not_asked(workspace, module):
        return EMPTY, reason
    if module.source is not None:
        if reason := lacking.of_source(module.source):
            return EMPTY, reason
        return PARTLY, _missing_days(workspace, module, today)
    inputs = module.upstream
    empty = [name for name in inputs if extents.get(name) == EMPTY]
    if inputs and len(empty) == len(inputs):
        return EMPTY, f"it is made from {', '.join(empty)}"
    return PARTLY, f"it lacks what {', '.join(empty)} would tell" if empty else ""


def _missing_days(workspace: Workspace, module: Module, today: date) -> str:
    """Days that a source can't tell of any more."""
    if module.table.grain is Grain.CAPTURE and workspace.first_day < today:
        return "its days begin with the first run: what was there before nobody can ask"
    probe = PROBES.get(module.source or "")
    if probe is None or probe.horizon_days is None:
        return ""
    earliest = today - timedelta(days=probe.horizon_days)
    if workspace.first_day >= earliest:
        return ""
    return f"days before {earliest} stay empty: the API tells of {probe.horizon_days} days"
