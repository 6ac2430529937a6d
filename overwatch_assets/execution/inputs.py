"""The frames a transform is given: what it declared, and nothing else.

Every frame holds one workspace. What was read is returned beside the frames, so that a later
change of it can be noticed.
"""

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import polars as pl

from overwatch_assets.errors import MissingDay
from overwatch_assets.execution.records import ReadKind, ReadRecord, Record
from overwatch_assets.execution.tables import AnyTables, Staged
from overwatch_assets.execution.timelines import anchor_of, state_of
from overwatch_assets.execution.versions import version_of_rows, version_read
from overwatch_assets.execution.windows import ONE_DAY, Cell, require_history
from overwatch_assets.module import (
    PARTITION_DATE,
    AsOf,
    Captures,
    Carried,
    Day,
    DayWindow,
    Grain,
    History,
    Module,
    Overlap,
    Parts,
    Reference,
    Table,
    Window,
)

Frames = dict[str, pl.LazyFrame]


@dataclass(frozen=True, slots=True)
class Past:
    """A module's own earlier days, as the day at hand may see them.

    Attributes:
        carried: Open rows at the end of the day before; None on the first day.
        staged: Own rows of this run, not yet committed.
        records: Records of own days made in this run.
    """

    carried: pl.DataFrame | None
    staged: Sequence[Staged]
    records: Mapping[date, Record]


@dataclass(frozen=True, slots=True)
class Inputs:
    """Frames by parameter, and what was read to make them."""

    frames: Frames
    reads: tuple[ReadRecord, ...]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the declared inputs of a module for one workspace.

    Attributes:
        store: Where tables are.
        modules: Modules by table name, for the schemas of what is read.
        organization_id: The workspace.
        first_day: Its first day; nothing is read before it.
        day_of: The day an instant belongs to, in the configured time zone.
        records: Newest records of days of a table.
        days: Days of the run.
        opened: Tables that were opened for all of them.
        until_ms: End of a day in epoch ms.
        closing: The day of the closing capture of a table and day; None: there is none yet.
        reference: Rows of a reference, by its name.
        states: The newest state that was read of a table of versions, and its day.
    """

    store: AnyTables
    modules: Mapping[str, Module]
    organization_id: str
    first_day: date
    day_of: Callable[[datetime], date]
    records: Callable[[str, Collection[date]], Mapping[date, Record]]
    days: Sequence[date]
    opened: dict[str, pl.LazyFrame]
    until_ms: Callable[[date], int]
    closing: Callable[[str, date], date | None]
    reference: Callable[[str], pl.DataFrame]
    states: dict[str, tuple[date, pl.DataFrame]]

    def of_days(
        self, module: Module, days: Sequence[DayWindow], part: Frames | None = None
    ) -> Inputs:
        """Inputs of a stateless module for several days at once, or for a part of one."""
        frames: Frames = {}
        for parameter, read in module.reads.items():
            if isinstance(read, Day):
                rows = (part or {}).get(parameter)
                if rows is None:
                    rows = self._of_windows(module.table_of(parameter), read, days)
                frames[parameter] = (
                    rows.collect(engine="in-memory").lazy() if read.in_memory else rows
                )
        return Inputs(frames=frames, reads=())

    def to_divide(self, module: Module, parts: Parts, day: DayWindow) -> Frames:
        """The inputs of a day that are divided, whole and unread."""
        return {
            parameter: self._of_windows(module.table_of(parameter), read, (day,))
            for parameter in parts.inputs
            if isinstance(read := module.reads[parameter], Day)
        }

    def day_reads(self, module: Module, day: date) -> tuple[ReadRecord, ...]:
        """What a day of a stateless module reads."""
        return tuple(
            self._read(name := module.table_of(parameter), self._day_kind(name, read), day, day)
            for parameter, read in module.reads.items()
            if isinstance(read, Day)
        )

    def _day_kind(self, name: str, read: Day) -> ReadKind:
        is_closed = read.closed or self.modules[name].table.grain is Grain.VERSION
        return ReadKind.CLOSED if is_closed else ReadKind.DAY

    def reads_of_nothing(self, module: Module, day: date, past: Past) -> tuple[ReadRecord, ...]:
        """What a day reads whose inputs have no rows: nothing beyond the day is named."""
        reads = list(self.day_reads(module, day))
        for parameter, read in module.reads.items():
            if isinstance(read, Carried) and day > self.first_day:
                reads.append(self._carried_read(module.table, day - ONE_DAY, past))
            elif isinstance(read, Overlap):
                reads.append(self._read(module.table_of(parameter), ReadKind.OVERLAP, day, day))
            elif isinstance(read, AsOf):
                reads.append(self._as_of_read(module.table_of(parameter), day))
        return tuple(reads)

    def of_day(
        self, module: Module, day: DayWindow, past: Past, part: Frames | None = None
    ) -> Inputs:
        """Inputs of a module that looks back, for one day, or for a part of it.

        Args:
            module: The module.
            day: The day.
            past: What the days before left.
            part: Inputs of the day that were divided.
        """
        frames = dict(self.of_days(module, (day,), part).frames)
        reads = list(self.day_reads(module, day.day))
        for parameter, read in module.reads.items():
            if isinstance(read, Carried):
                frames[parameter] = self._carried(module.table, past)
                if day.day > self.first_day:
                    reads.append(self._carried_read(module.table, day.day - ONE_DAY, past))
            elif isinstance(read, AsOf):
                table = module.table_of(parameter)
                frames[parameter] = self._as_of(table, day)
                reads.append(self._as_of_read(table, day.day))
            elif isinstance(read, Captures):
                frames[parameter], seen = self._captures(module.table_of(parameter), day)
                reads.append(seen)
            elif isinstance(read, Reference):
                rows = self.reference(read.name or parameter)
                frames[parameter] = rows.lazy()
                version = version_of_rows(rows)
                name = read.name or parameter
                reads.append(ReadRecord(name, ReadKind.REFERENCE, day.day, day.day, version))
        for parameter, read in module.reads.items():
            if isinstance(read, History):
                frame, seen = self._history(module, read, day, frames, past)
            elif isinstance(read, Overlap):
                frame, seen = self._overlap(module.table_of(parameter), read, day, frames)
            else:
                continue
            frames[parameter] = frame
            reads += seen
        return Inputs(frames=frames, reads=tuple(reads))

    def _of_windows(self, name: str, read: Day, days: Sequence[DayWindow]) -> pl.LazyFrame:
        producer = self.modules[name]
        table = producer.table
        rows = self._opened(table).filter(
            pl.col(PARTITION_DATE.name).is_in([each.day for each in days])
            if len(days) > 1
            else pl.col(PARTITION_DATE.name) == days[0].day
        )
        if table.grain is Grain.VERSION or (read.closed and table.grain is Grain.INTERVAL):
            rows = rows.filter(~pl.col("is_open"))
        for each in days:
            record = self.records(name, (each.day,)).get(each.day)
            if record is not None and record.until_ms > each.window.until_ms:
                rows = self._cut(rows, producer, each)
        return rows

    def _opened(self, table: Table) -> pl.LazyFrame:
        """A table's rows of the run's days; filters on the day open only its files."""
        if table.name not in self.opened:
            rows = self.store.scan(table, self.organization_id, self.days)
            self.opened[table.name] = rows
        return self.opened[table.name]

    def _cut(self, rows: pl.LazyFrame, producer: Module, day: DayWindow) -> pl.LazyFrame:
        if producer.table.grain not in {Grain.EVENT, Grain.CAPTURE, Grain.VERSION}:
            cell = Cell(producer.table.name, self.organization_id, day.day)
            message = (
                f"{cell} reaches further than another input of that day, and what was open then "
                "is no longer known: materialise all inputs of the day again in one run"
            )
            raise MissingDay(message)
        of_day = pl.col(PARTITION_DATE.name) == day.day
        return rows.filter(~of_day | (pl.col(producer.decided_by) < day.window.until_ms))

    def state_at_end(
        self, module: Module, day: date, staged: Sequence[Staged] = ()
    ) -> pl.DataFrame:
        """The latest version of each living entity at the end of a day.

        Raises:
            MissingDay: A day since the anchor is not loaded.
        """
        table = module.table
        if module.timeline is None:
            wrong = f"{table.name} is no table of versions"
            raise TypeError(wrong)
        before, state = self.states.get(table.name, (None, None))
        if before == day and state is not None:
            return state
        if before == day - ONE_DAY and state is not None:
            days = [day]
        else:
            days, state = days_between(anchor_of(day, self.first_day), day), None
        known = self.records(table.name, days)
        cell = Cell(table.name, self.organization_id, day)
        require_history(cell, table.name, [each for each in days if each not in known])
        rows = self.store.scan(table, self.organization_id, days, staged=staged)
        parts = [rows] if state is None else [state.lazy(), rows.filter(~pl.col("is_open"))]
        found = state_of(pl.concat(parts), module.timeline, self.until_ms(day))
        self.states[table.name] = (day, found)
        return found

    def _as_of(self, name: str, day: DayWindow) -> pl.LazyFrame:
        of_day = self._of_windows(name, Day(table=name), (day,))
        if day.day == self.first_day:
            return of_day
        before = self.state_at_end(self.modules[name], day.day - ONE_DAY)
        return pl.concat([before.lazy(), of_day])

    def _as_of_read(self, name: str, day: date) -> ReadRecord:
        return self._read(name, ReadKind.AS_OF, max(self.first_day, day - ONE_DAY), day)

    def _captures(self, name: str, day: DayWindow) -> tuple[pl.LazyFrame, ReadRecord]:
        producer = self.modules[name]
        closing = self.closing(name, day.day)
        last = closing or day.day
        days = [day.day] if closing is None else [day.day, closing]
        is_of_day = pl.col(PARTITION_DATE.name) == day.day
        is_seen = is_of_day & (pl.col(producer.decided_by) < day.window.until_ms)
        rows = (
            self.store.scan(producer.table, self.organization_id, days)
            .filter(is_seen | ~is_of_day)
            .with_columns(is_closing=~is_of_day, is_first_day=pl.lit(day.day == self.first_day))
        )
        return rows, self._read(name, ReadKind.CAPTURES, day.day, last)

    def _carried(self, table: Table, past: Past) -> pl.LazyFrame:
        if past.carried is None:
            return pl.LazyFrame(schema=table.schema)
        return past.carried.lazy()

    def _carried_read(self, table: Table, day: date, past: Past) -> ReadRecord:
        records = {**self.records(table.name, (day,)), **past.records}
        version = version_read(ReadKind.CARRIED, table.name, day, day, records)
        return ReadRecord(table.name, ReadKind.CARRIED, day, day, version)

    def _read(self, table: str, kind: ReadKind, first: date, last: date) -> ReadRecord:
        days = [first, last] if kind is ReadKind.CAPTURES else days_between(first, last)
        records = self.records(table, days)
        return ReadRecord(table, kind, first, last, version_read(kind, table, first, last, records))

    def _history(
        self,
        module: Module,
        read: History,
        day: DayWindow,
        frames: Frames,
        past: Past,
    ) -> tuple[pl.LazyFrame, list[ReadRecord]]:
        table = self.modules[read.table].table if read.table else module.table
        empty = pl.LazyFrame(schema={name: table.schema[name] for name in read.columns})
        first = max(self.first_day, day.day - timedelta(days=read.days))
        last = day.day - ONE_DAY
        if last < first:
            return empty, []
        wanted = called(read.wanted, frames, day.window).collect(engine="in-memory")
        if wanted.is_empty():
            return empty, []
        days = days_between(first, last)
        rows = (
            self.store.scan(table, self.organization_id, days, staged=past.staged)
            .filter(~pl.col("is_open") if table.grain is Grain.INTERVAL else pl.lit(value=True))
            .select(read.columns)
            .join(wanted.lazy().unique(), on=wanted.columns, how="semi", nulls_equal=True)
        )
        records = {**self.records(table.name, days), **past.records}
        version = version_read(ReadKind.HISTORY, table.name, first, last, records)
        return rows, [ReadRecord(table.name, ReadKind.HISTORY, first, last, version)]

    def _overlap(
        self, name: str, read: Overlap, day: DayWindow, frames: Frames
    ) -> tuple[pl.LazyFrame, list[ReadRecord]]:
        table = self.modules[name].table
        earliest = called(read.since, frames, day.window).min().collect().item()
        first = day.day
        if earliest is not None:
            instant = datetime.fromtimestamp(min(earliest, day.window.since_ms) / 1000, UTC)
            first = max(self.first_day, self.day_of(instant))
        days = days_between(first, day.day)
        known = self.records(name, days)
        cell = Cell(table.name, self.organization_id, day.day)
        if not read.soft:
            require_history(cell, name, [each for each in days if each not in known])
        of_day = pl.col(PARTITION_DATE.name) == day.day
        rows = self.store.scan(table, self.organization_id, days)
        rows = rows.filter(of_day | ~pl.col("is_open"))
        return rows, [self._read(name, ReadKind.OVERLAP, first, day.day)]


def days_between(first: date, last: date) -> list[date]:
    """Every day from `first` to `last`, both included."""
    return [date.fromordinal(each) for each in range(first.toordinal(), last.toordinal() + 1)]


def called(function: Callable[..., pl.LazyFrame], frames: Frames, window: Window) -> pl.LazyFrame:
    """Call a declaration's function with the inputs whose names it has."""
    names = inspect.signature(function).parameters
    known: dict[str, object] = {**frames, "window": window}
    return function(**{name: known[name] for name in names})
