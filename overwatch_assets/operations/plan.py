"""What a run will load, and why: shown before it begins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from overwatch_assets.config import Config, Workspace
from overwatch_assets.errors import ConfigError
from overwatch_assets.execution.records import Ledger
from overwatch_assets.execution.redo import Reason, Step, downstream_steps
from overwatch_assets.execution.windows import contiguous
from overwatch_assets.module import Grain, Module


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps of a run, in the order they are taken: what is owed, what was asked, what follows."""

    steps: tuple[Step, ...]

    @property
    def owed(self) -> list[Step]:
        """Days of which earlier runs could not get everything; the sources are asked for that."""
        return [step for step in self.steps if step.reason is Reason.OWED]

    @property
    def asked(self) -> list[Step]:
        """Steps asked for."""
        return [step for step in self.steps if step.reason is Reason.ASKED]

    @property
    def downstream(self) -> list[Step]:
        """Later days and readers of the past, redone where something they read changed."""
        return [step for step in self.steps if step.reason is Reason.DOWNSTREAM]

    def as_rows(self) -> list[dict[str, object]]:
        """The plan for machines."""
        return [
            {
                "workspace": step.organization_id,
                "module_id": step.module.module_id,
                "table": step.module.table.name,
                "reason": str(step.reason),
                "first": str(step.days[0]),
                "last": str(step.days[-1]),
                "days": len(step.days),
                "rows_now": step.rows_now,
            }
            for step in self.steps
        ]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which modules a run is asked to load; empty parts mean all.

    Attributes:
        modules: Module ids or table names.
    """

    modules: Sequence[str] = ()
    scopes: Sequence[str] = ()
    layers: Sequence[str] = ()

    def choose(self, modules: Sequence[Module]) -> list[Module]:
        """The chosen modules, in their order.

        Raises:
            ConfigError: A name fits none.
        """
        known = {
            "--modules": {n for m in modules for n in (str(m.module_id), m.table.name, m.name)},
            "--scopes": {str(m.scope) for m in modules},
            "--layers": {str(m.layer) for m in modules},
        }
        given = {"--modules": self.modules, "--scopes": self.scopes, "--layers": self.layers}
        for option, names in given.items():
            if unknown := sorted(set(names) - known[option]):
                message = (
                    f"{option} {', '.join(unknown)}: choose from {', '.join(sorted(known[option]))}"
                )
                raise ConfigError(message)
        return [
            module
            for module in modules
            if _fits(self.modules, (str(module.module_id), module.table.name, module.name))
            and _fits(self.scopes, (str(module.scope),))
            and _fits(self.layers, (str(module.layer),))
        ]


def plan_run(
    modules: Sequence[Module],
    chosen: Sequence[Module],
    ledger: Ledger,
    days: Mapping[str, Sequence[date]],
    *,
    captured: Mapping[str, date] | None = None,
    owed: Mapping[str, Mapping[str, Sequence[date]]] | None = None,
) -> Plan:
    """Plan to load days of workspaces.

    Args:
        modules: All modules, in dependency order.
        chosen: Those asked for.
        ledger: What is known of loaded days.
        days: Adjacent days by workspace id.
        captured: By workspace id the day that has begun, on which the API is asked what there
            is now. It is asked before the days are loaded, because they look things up in what
            it tells; what is looked up to ask it comes first.
        owed: By workspace id and table the loaded days of which something is owed. Days that
            are loaded anyway need no step of their own.
    """
    steps: list[Step] = []
    for org, of_workspace in days.items():
        today = (captured or {}).get(org)
        captures = [m for m in chosen if m.table.grain is Grain.CAPTURE] if today else []
        looked_up = {name for module in captures for name in module.dependencies}
        before = [module for module in chosen if captures and module.table.name in looked_up]
        after = [module for module in chosen if module not in before]
        asked = [
            *(_asked(module, org, of_workspace, ledger) for module in before),
            *(_asked(module, org, [today], ledger) for module in captures if today),
            *(_asked(module, org, of_workspace, ledger) for module in after),
        ]
        touched = {module.table.name: [*of_workspace] for module in chosen}
        # Nobody can tell any more what there was on a day that is over.
        touched |= {module.table.name: [today] for module in captures if today}
        for step in _owed(chosen, org, (owed or {}).get(org, {}), of_workspace, ledger):
            touched[step.module.table.name] += step.days
            steps.append(step)
        steps += [*asked, *downstream_steps(modules, ledger, org, touched)]
    return Plan(tuple(steps))


def _owed(
    chosen: Sequence[Module],
    org: str,
    owed: Mapping[str, Sequence[date]],
    asked: Sequence[date],
    ledger: Ledger,
) -> list[Step]:
    return [
        replace(_asked(module, org, days, ledger), reason=Reason.OWED)
        for module in chosen
        for days in contiguous(set(owed.get(module.table.name, ())) - set(asked))
    ]


def _asked(module: Module, org: str, days: Sequence[date], ledger: Ledger) -> Step:
    known = ledger.latest(module.table.name, org, days)
    rows = sum(record.rows for record in known.values())
    return Step(module, org, tuple(days), Reason.ASKED, rows)


def days_asked(
    config: Config,
    workspaces: Sequence[Workspace],
    first: date | None,
    last: date | None,
    today: date,
) -> dict[str, Sequence[date]]:
    """Days of each workspace between two dates, both included.

    Args:
        config: For the calendar.
        workspaces: The workspaces asked for.
        first: None: each workspace's first day, before which it has none.
        last: None: yesterday, or the workspace's last day.
        today: The day that is not over.

    Raises:
        ConfigError: No day lies between them.
    """
    days: dict[str, Sequence[date]] = {}
    for workspace in workspaces:
        begin = max(first or workspace.first_day, workspace.first_day)
        newest = date.fromordinal(today.toordinal() - 1)
        end = last or min(newest, workspace.retired_on or newest)
        between = config.days(begin, end)
        if not between:
            message = (
                f"workspace {workspace.name}: no day from {first or begin} to {end}; its first is "
                f"{workspace.first_day}. Give --from and --to, the first not after the second"
            )
            raise ConfigError(message)
        days[workspace.organization_id] = between
    return days


def _fits(wanted: Sequence[str], names: Sequence[str]) -> bool:
    return not wanted or any(name in wanted for name in names)
