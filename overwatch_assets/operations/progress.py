"""How a run is seen while it goes on: bars in a terminal, else lines and a heartbeat."""

import sys
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from overwatch_assets.execution.windows import Cell

HEARTBEAT_S = 30.0


class Watcher(Protocol):
    """Is told how a run goes on."""

    def began(self, organization_id: str, tables: int, days: int) -> None:
        """Some tables of a workspace are about to be loaded, so many days of all together."""
        ...

    def loaded(self, cell: Cell) -> None:
        """A day of a table was loaded."""
        ...


class Display(Watcher, Protocol):
    """Shows a run; used as a context manager."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def display_for(console: Console, names: dict[str, str]) -> Display:
    """Bars in a terminal, lines elsewhere.

    Args:
        console: Where to show it.
        names: Workspace names by id.
    """
    return Bars(console, names) if console.is_terminal else Lines(console, names)


@dataclass
class Bars:
    """A bar per workspace that counts the days of its tables."""

    console: Console
    names: dict[str, str]

    def __post_init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.fields[workspace]:<18}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[table]}"),
            TimeElapsedColumn(),
            console=self.console,
        )
        self._tasks: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def began(self, organization_id: str, tables: int, days: int) -> None:
        name = self.names.get(organization_id, organization_id)
        what = f"{tables} tables"
        task = self._progress.add_task("", total=days, workspace=name, table=what)
        self._tasks[organization_id] = task

    def loaded(self, cell: Cell) -> None:
        task = self._tasks[cell.organization_id]
        self._progress.update(task, advance=1, table=f"{cell.table} {cell.day}")  # pyright: ignore[reportArgumentType]


@dataclass
class _Current:
    """What a workspace is at."""

    table: str
    days: int = 0


@dataclass
class Lines:
    """A line per table, and a heartbeat while one takes long."""

    console: Console
    names: dict[str, str]
    _current: dict[str, _Current] = field(default_factory=dict[str, _Current])
    _stop: threading.Event = field(default_factory=threading.Event)
    _beat: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._beat = threading.Thread(target=self._heartbeat, daemon=True)
        self._beat.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for organization_id in list(self._current):
            self._finish(organization_id)
        self._stop.set()

    def began(self, organization_id: str, tables: int, days: int) -> None:
        self._finish(organization_id)
        what = f"{tables} tables, {days} days of all together"
        self.console.print(f"{self._name(organization_id)}  {what}", highlight=False)

    def loaded(self, cell: Cell) -> None:
        at = self._current.get(cell.organization_id)
        if at is None or at.table != cell.table:
            self._finish(cell.organization_id)
            at = self._current[cell.organization_id] = _Current(cell.table)
        at.days += 1

    def _name(self, organization_id: str) -> str:
        return self.names.get(organization_id, organization_id)

    def _finish(self, organization_id: str) -> None:
        at = self._current.pop(organization_id, None)
        if at is not None:
            told = f"{self._name(organization_id)}  {at.table}  {at.days} days"
            self.console.print(told, highlight=False)

    def _heartbeat(self) -> None:
        while not self._stop.wait(HEARTBEAT_S):
            now = time.strftime("%H:%M:%S")
            doing = [
                f"{self._name(org)} {at.table}, {at.days} days done"
                for org, at in list(self._current.items())
            ]
            told = "; ".join(doing) or "at work"
            print(f"{now}  {told}", file=sys.stderr, flush=True)  # noqa: T201 - the heartbeat
