"""How a run is seen while it goes on: bars in a terminal, else lines and a heartbeat."""

import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from overwatch_assets.execution.redo import Step
from overwatch_assets.execution.windows import Cell

HEARTBEAT_S = 30.0


class Display(Protocol):
    """Shows a run; used as a context manager."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def began(self, steps: Sequence[Step]) -> None:
        """Some tables of a workspace are about to be loaded."""
        ...

    def loaded(self, cell: Cell) -> None:
        """A day of a table was loaded."""
        ...


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

    def began(self, steps: Sequence[Step]) -> None:
        org = steps[0].organization_id
        total = sum(len(step.days) for step in steps)
        name = self.names.get(org, org)
        task = self._progress.add_task("", total=total, workspace=name, table="")
        self._tasks[org] = task

    def loaded(self, cell: Cell) -> None:
        task = self._tasks[cell.organization_id]
        self._progress.update(task, advance=1, table=f"{cell.table} {cell.day}")  # pyright: ignore[reportArgumentType]


@dataclass
class Lines:
    """A line per table, and a heartbeat while one takes long."""

    console: Console
    names: dict[str, str]
    _current: tuple[str, str, float, int] | None = None
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
        self._finish()
        self._stop.set()

    def began(self, steps: Sequence[Step]) -> None:
        self._finish()
        name = self.names.get(steps[0].organization_id, steps[0].organization_id)
        self.console.print(f"{name}  {len(steps)} tables", highlight=False)

    def loaded(self, cell: Cell) -> None:
        if self._current is None or self._current[:2] != (cell.organization_id, cell.table):
            self._finish()
            self._current = (cell.organization_id, cell.table, time.monotonic(), 0)
        org, table, since, days = self._current
        self._current = (org, table, since, days + 1)

    def _finish(self) -> None:
        if self._current is not None:
            org, table, _, days = self._current
            name = self.names.get(org, org)
            self.console.print(f"{name}  {table}  {days} days", highlight=False)
            self._current = None

    def _heartbeat(self) -> None:
        while not self._stop.wait(HEARTBEAT_S):
            now = time.strftime("%H:%M:%S")
            at = self._current
            doing = f"{at[1]}, {at[3]} days done" if at else "at work"
            print(f"{now}  {doing}", file=sys.stderr, flush=True)  # noqa: T201 - the heartbeat
