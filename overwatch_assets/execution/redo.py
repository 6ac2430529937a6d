"""What a reload leaves to be redone: the plan that is shown before it.

The plan is the upper bound: every loaded day that could have read something which changes. The
run prunes it, day by day, by comparing what each day read with what is there then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from overwatch_assets.execution.records import Ledger, ReadKind, ReadRecord
from overwatch_assets.module import Captures, Module

AGAIN = timedelta(days=31)
"""How long a day is tried again that its closing captures should have changed, but which failed."""


class Reason(StrEnum):
    """Why days are in a plan."""

    ASKED = "asked for"
    OWED = "could not be had before"
    DOWNSTREAM = "may have read what changes"


@dataclass(frozen=True, slots=True)
class Step:
    """A table's days in a plan.

    Attributes:
        rows_now: Rows stored for these days, as their records say.
    """

    module: Module
    organization_id: str
    days: tuple[date, ...]
    reason: Reason
    rows_now: int


def downstream_steps(
    modules: Sequence[Module],
    ledger: Ledger,
    organization_id: str,
    asked: Mapping[str, Sequence[date]],
) -> list[Step]:
    """Loaded days, beyond those asked for, that could read what a reload changes.

    Args:
        modules: In dependency order.
        ledger: What is known of loaded days.
        organization_id: The workspace.
        asked: Days that will be loaded, by table.
    """
    touched: dict[str, set[date]] = {table: set(days) for table, days in asked.items()}
    steps: list[Step] = []
    for module in modules:
        table = module.table.name
        since = _first_concerned(module, ledger, organization_id, touched)
        days = [day for day in ledger.days(table, organization_id) if day >= since]
        loaded = ledger.latest(table, organization_id, days)
        own = touched.setdefault(table, set())
        stale: list[date] = []
        for day in sorted(loaded):
            if day not in own and any(_touches(touched, read) for read in loaded[day].reads):
                own.add(day)
                stale.append(day)
        if stale:
            rows = sum(loaded[day].rows for day in stale)
            steps.append(Step(module, organization_id, tuple(stale), Reason.DOWNSTREAM, rows))
    return steps


def _first_concerned(
    module: Module,
    ledger: Ledger,
    organization_id: str,
    touched: Mapping[str, set[date]],
) -> date:
    """The first day that may read something which is touched; a year of records is not read.

    Days read what lies before them, so that none before the first touched day is concerned. Only
    captures may lie after: they close the days since the newest captures before them.
    """
    first = min((min(days) for days in touched.values() if days), default=date.max)
    for parameter, read in module.reads.items():
        if isinstance(read, Captures) and touched.get(table := module.table_of(parameter)):
            newest = _newest_rows(ledger, table, organization_id, min(touched[table]))
            first = min(first, max(newest, date.min + AGAIN) - AGAIN)
    return first


def _newest_rows(ledger: Ledger, table: str, organization_id: str, before: date) -> date:
    """The newest day of a table before another that has rows; the first of all: none has."""
    days = [day for day in ledger.days(table, organization_id) if day < before]
    while days:
        days, newest = days[: -AGAIN.days], days[-AGAIN.days :]
        records = ledger.latest(table, organization_id, newest)
        if found := [day for day, record in records.items() if record.rows]:
            return max(found)
    return date.min


def _touches(touched: Mapping[str, set[date]], read: ReadRecord) -> bool:
    days = touched.get(read.table, ())
    if read.kind is ReadKind.CAPTURES and read.first == read.last:
        # Nothing closes the day yet: any capture that comes into being may. Where one does, a
        # later one says nothing of the day, because captures never go away.
        return any(day >= read.first for day in days)
    return any(read.first <= day <= read.last for day in days)
