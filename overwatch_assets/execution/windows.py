"""Which window a day is loaded with, and whether the days it builds on allow it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from overwatch_assets.errors import MissingDay
from overwatch_assets.execution.records import Record
from overwatch_assets.module import DayWindow, Window

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Cell:
    """A day of a table and workspace, as messages name it."""

    table: str
    organization_id: str
    day: date

    def __str__(self) -> str:
        return f"{self.table}, workspace {self.organization_id}, {self.day}"


def cut(cell: Cell, whole: Window, snapshot: datetime, inputs: Mapping[str, Record]) -> DayWindow:
    """The day's window, cut at the snapshot time and at the end of the shortest input.

    Args:
        cell: The day to be loaded.
        whole: Its window from midnight to midnight.
        snapshot: Time the run began.
        inputs: Records of the same day of the tables read.

    Raises:
        MissingDay: The day has not begun, or nothing of an input's day has.
    """
    ends = [whole.until, snapshot]
    ends += [
        datetime.fromtimestamp(each.until_ms / 1000, whole.until.tzinfo) for each in inputs.values()
    ]
    until = min(ends)
    if until <= whole.since:
        message = f"{cell}: the day has not begun at {until:%Y-%m-%d %H:%M %Z}; nothing to load"
        raise MissingDay(message)
    return DayWindow(day=cell.day, window=Window(since=whole.since, until=until))


def require_day_before(cell: Cell, first_day: date, before: Record | None, *, failed: bool) -> None:
    """Refuse to carry on from a day that isn't there, failed, or was cut.

    Raises:
        MissingDay: With the day to materialise first.
    """
    if cell.day == first_day:
        return
    day_before = cell.day - ONE_DAY
    if before is None or failed:
        why = "failed last" if failed else "is not there"
        message = (
            f"{cell} carries on from {day_before}, which {why}: materialise {day_before} first"
        )
        raise MissingDay(message)
    if not before.is_complete:
        cut_at = datetime.fromtimestamp(before.until_ms / 1000).astimezone()
        message = (
            f"{cell}: {day_before} was cut at {cut_at:%Y-%m-%d %H:%M %Z}; "
            f"materialise {day_before} again first"
        )
        raise MissingDay(message)


def require_known(cell: Cell, first_day: date, retired_on: date | None) -> None:
    """Refuse a day that is no partition of the workspace.

    Raises:
        MissingDay: The day lies before the first day or after the workspace was retired.
    """
    if cell.day < first_day:
        message = f"{cell}: the workspace's first day is {first_day}; choose a day from then on"
        raise MissingDay(message)
    if retired_on is not None and cell.day > retired_on:
        message = f"{cell}: the workspace was retired on {retired_on}; choose a day up to then"
        raise MissingDay(message)


def require_inputs(cell: Cell, needed: Sequence[str], inputs: Mapping[str, Record]) -> None:
    """Refuse a day whose inputs are not loaded.

    Raises:
        MissingDay: With the tables to materialise first.
    """
    missing = [name for name in needed if name not in inputs]
    if missing:
        message = f"{cell} reads {', '.join(missing)} of that day: materialise it first"
        raise MissingDay(message)


def require_history(cell: Cell, table: str, missing: Sequence[date]) -> None:
    """Refuse to look back over days that are not loaded.

    Raises:
        MissingDay: With the first day to materialise.
    """
    if missing:
        message = (
            f"{cell} looks back in {table}, whose {missing[0]} is not there: "
            f"materialise {missing[0]} first"
        )
        raise MissingDay(message)


def contiguous(days: Collection[date]) -> list[list[date]]:
    """Days as runs of adjacent days, ascending."""
    runs: list[list[date]] = []
    for day in sorted(set(days)):
        if runs and day - runs[-1][-1] == ONE_DAY:
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs


def chunks(days: Sequence[date], size: int) -> list[list[date]]:
    """Days in groups of at most `size`."""
    return [list(days[start : start + size]) for start in range(0, len(days), size)]
