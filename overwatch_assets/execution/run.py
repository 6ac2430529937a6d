"""What a loading run is given from outside: the workspace, the calendar, the run itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

import polars as pl

from overwatch_assets.execution.windows import Cell
from overwatch_assets.module import DayWindow, Scope, Window


class Workspace(Protocol):
    """What loading needs to know of a workspace."""

    @property
    def organization_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def first_day(self) -> date: ...
    @property
    def retired_on(self) -> date | None: ...
    @property
    def scopes(self) -> frozenset[Scope]: ...


class Calendar(Protocol):
    """Days in the configured time zone."""

    @property
    def timezone(self) -> ZoneInfo: ...

    def window_of(self, day: date) -> Window:
        """From the day's midnight to the next."""
        ...

    def day_of(self, instant: datetime) -> date:
        """The day an instant belongs to."""
        ...


Coverage = Callable[[str, Sequence[DayWindow]], pl.DataFrame]


@dataclass(frozen=True, slots=True)
class Run:
    """The run that loads.

    Attributes:
        run_id: Dagster's id, stored with each row.
        snapshot: When the run began; nothing later is loaded.
        redo: Load only days that read something which changed since.
        stop: Whether to stop after the day at hand, with what is done so far committed.
        retry: Ask sources only for what earlier runs could not get.
        progress: Told each day that is done.
        now: Tells the time at which the API is asked; a made-up world has its own.
    """

    run_id: str
    snapshot: datetime
    redo: bool = False
    retry: bool = False
    stop: Callable[[], bool] = lambda: False
    progress: Callable[[Cell], None] = lambda _: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def snapshot_ms(self) -> int:
        """Snapshot time in epoch ms."""
        return round(self.snapshot.timestamp() * 1000)
