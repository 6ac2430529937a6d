"""Loads days of a module: reads what it declared, checks the laws, commits once, records.

A range of days is worked through in chunks, so that memory is bounded by a chunk and not by
the range; its rows are staged day by day and become visible together, in one commit.
"""

import resource
import tempfile
import time
from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import polars as pl

from overwatch_assets.execution import versions
from overwatch_assets.execution.bronze import BronzeDays, SideRows
from overwatch_assets.execution.changes import changes_between
from overwatch_assets.execution.inputs import (
    Frames,
    Inputs,
    Past,
    Reader,
    called,
    days_between,
)
from overwatch_assets.execution.laws import require_days, require_lawful
from overwatch_assets.execution.parts import divided, parts_for, united
from overwatch_assets.execution.records import Check, Ledger, Record, Status
from overwatch_assets.execution.rules import nothing_compared, require_kept
from overwatch_assets.execution.run import Calendar, Coverage, Run, Workspace
from overwatch_assets.execution.tables import AnyTables, Staged
from overwatch_assets.execution.timelines import is_anchor, state_of
from overwatch_assets.execution.windows import (
    ONE_DAY,
    Cell,
    chunks,
    cut,
    require_day_before,
    require_inputs,
    require_known,
)
from overwatch_assets.module import (
    EARLIER,
    LEFT_OUT,
    MADE_FROM,
    NOT_STORED,
    ORGANIZATION_ID,
    PARTITION_DATE,
    ROWS,
    Captures,
    DayWindow,
    Grain,
    Module,
    Parts,
    Rule,
    Timeline,
    Window,
)
from overwatch_assets.redaction.redaction import Redaction
from overwatch_assets.sources.gathering import Gathered, Source

ONE_MS = timedelta(milliseconds=1)


def _nothing() -> None:
    """Nothing is redacted."""


@dataclass(frozen=True, slots=True)
class Loader:
    """Loads modules; everything it touches is given.

    Attributes:
        store: Where tables are.
        ledger: What is known of loaded days.
        modules: Modules by table name.
        calendar: Days in the configured time zone.
        sources: Makes a bronze module's source for a workspace's id, by the source's name.
        coverage: Log destinations to look at for days of a workspace's id, by the source's name.
        chunk_days: Days worked on at once.
        references: Gives the rows of a reference for a workspace's id, by its name.
        redaction: Gives what is done to what sources hand over; None: it is stored as it is.
    """

    store: AnyTables
    ledger: Ledger
    modules: Mapping[str, Module]
    calendar: Calendar
    sources: Mapping[str, Callable[[str], Source]] = field(
        default_factory=dict[str, Callable[[str], Source]]
    )
    coverage: Mapping[str, Coverage] = field(default_factory=dict[str, Coverage])
    chunk_days: int = 7
    references: Mapping[str, Callable[[str], pl.DataFrame]] = field(
        default_factory=dict[str, Callable[[str], pl.DataFrame]]
    )
    redaction: Callable[[], Redaction | None] = _nothing

    def load(
        self, module: Module, workspace: Workspace, days: Sequence[date], run: Run
    ) -> list[Record]:
        """Load adjacent days of a module and commit them together.

        Returns:
            A record per day that was loaded, for the caller to keep in the ledger.

        Raises:
            MissingDay: A day to build on is missing or cut, or a day isn't the workspace's.
            LawBroken: Rows break a law; nothing was written.
            SourceError: A source can't be read at all.
        """
        work = _Work(self, module, workspace, run, days)
        self.store.create(module.table)
        for name in module.dependencies:
            if name in self.modules:
                self.store.create(self.modules[name].table)
        if run.redo and module.source is not None:
            return []
        size = len(days) if module.asked_at_once else self.chunk_days
        for chunk in chunks(days, size):
            if run.stop():
                break
            work.load_chunk(chunk)
        return work.commit()


@dataclass(slots=True)
class _Work:
    """One module, workspace and run: what was staged so far."""

    loader: Loader
    module: Module
    workspace: Workspace
    run: Run
    asked: Sequence[date]
    known: dict[str, dict[date, Record | None]] = field(
        default_factory=dict[str, dict[date, "Record | None"]]
    )
    opened: dict[str, pl.LazyFrame] = field(default_factory=dict[str, pl.LazyFrame])
    states: dict[str, tuple[date, pl.DataFrame]] = field(
        default_factory=dict[str, tuple[date, pl.DataFrame]]
    )
    staged: list[Staged] = field(default_factory=list[Staged])
    records: dict[date, Record] = field(default_factory=dict[date, Record])
    carried: pl.DataFrame | None = None
    processed: list[pl.DataFrame] = field(default_factory=list[pl.DataFrame])
    days_with_rows: set[date] | None = None
    captured: dict[str, list[date]] = field(default_factory=dict[str, list[date]])
    references: dict[str, pl.DataFrame] = field(default_factory=dict[str, pl.DataFrame])
    side_rows: list[SideRows] = field(default_factory=list[SideRows])
    part: Callable[[pl.LazyFrame], pl.LazyFrame] | None = None
    """Rows of the table's that belong to the part of a day at work; None: whole days are."""
    instant: datetime = field(init=False)
    """What is told at or after it is not loaded: a capture tells of when it is taken, all else
    of when the run began."""

    def __post_init__(self) -> None:
        self.instant = self.run.snapshot
        if self.module.table.grain is Grain.CAPTURE:
            taken = self.run.now()
            self.instant = taken.replace(microsecond=taken.microsecond // 1000 * 1000) + ONE_MS

    def load_chunk(self, days: Sequence[date]) -> None:
        """Stage the rows of some days."""
        windows = [self._window(day) for day in days]
        if self.module.scope not in self.workspace.scopes:
            self._leave_alone(windows)
        elif self.module.source is not None:
            self._load_source(windows)
        elif self.module.is_stateless and not self.run.redo and not self._any_divided(windows):
            self._load_together(windows)
        else:
            for each in windows:
                self._load_day(each)
                if self.run.stop():
                    return

    def commit(self) -> list[Record]:
        """Make everything staged visible; the trackers follow the rows they speak of."""
        records = [self.records[day] for day in sorted(self.records)]
        if not records or self.module.scope not in self.workspace.scopes:
            return records
        days = [record.day for record in records]
        store = self.loader.store
        table = self.module.table
        org = self.workspace.organization_id
        metadata = {
            "overwatch.run_id": self.run.run_id,
            "overwatch.module_id": str(self.module.module_id),
            "overwatch.workspace": org,
            "overwatch.days": ",".join(map(str, days)),
            "overwatch.until_ms": ",".join(str(record.until_ms) for record in records),
        }
        version = store.replace(table, org, days, self.staged, metadata)
        for side in self.side_rows:
            side.commit(store, org, version, metadata)
        return [replace(record, delta_version=version) for record in records]

    def _cell(self, day: date) -> Cell:
        return Cell(self.module.table.name, self.workspace.organization_id, day)

    def _newest(self, table: str, days: Collection[date]) -> Mapping[date, Record]:
        """Newest records of days: this run's first, each other day looked up once."""
        own = self.records if table == self.module.table.name else {}
        known = self.known.setdefault(table, {})
        if missing := set(days) - known.keys():
            missing |= set(self.asked) - known.keys()
            found = self.loader.ledger.latest(table, self.workspace.organization_id, missing)
            known.update({day: found.get(day) for day in missing})
        newest = {day: own.get(day, known[day]) for day in days}
        return {day: record for day, record in newest.items() if record is not None}

    def _window(self, day: date) -> DayWindow:
        cell = self._cell(day)
        require_known(cell, self.workspace.first_day, self.workspace.retired_on)
        needed = self.module.upstream
        inputs = {
            name: found[day] for name in needed if day in (found := self._newest(name, (day,)))
        }
        require_inputs(cell, needed, inputs)
        whole = self.loader.calendar.window_of(day)
        cutting = {} if self.module.source is not None else inputs
        return cut(cell, whole, self.instant, cutting)

    def _leave_alone(self, days: Sequence[DayWindow]) -> None:
        for each in days:
            reason = f"scope {self.module.scope} is switched off for this workspace"
            self._record(each, rows=0, closed_version=0, reason=reason)

    def _reader(self) -> Reader:
        return Reader(
            store=self.loader.store,
            modules=self.loader.modules,
            organization_id=self.workspace.organization_id,
            first_day=self.workspace.first_day,
            day_of=self.loader.calendar.day_of,
            records=self._newest,
            days=self.asked,
            opened=self.opened,
            until_ms=self._end_ms,
            closing=self._closing,
            reference=self._reference,
            states=self.states,
        )

    def _end_ms(self, day: date) -> int:
        return self.loader.calendar.window_of(day).until_ms

    def _closing(self, table: str, day: date) -> date | None:
        """The first day after a day on which a table of captures has rows."""
        org = self.workspace.organization_id
        if table not in self.captured:
            partitions = self.loader.store.partitions(self.loader.modules[table].table, org)
            self.captured[table] = sorted(partitions[PARTITION_DATE.name])
        after = bisect_right(self.captured[table], day)
        days = self.captured[table]
        return days[after] if after < len(days) else None

    def _reference(self, name: str) -> pl.DataFrame:
        if name not in self.references:
            rows = self.loader.references[name](self.workspace.organization_id)
            self.references[name] = rows
        return self.references[name]

    def _load_source(self, days: Sequence[DayWindow]) -> None:
        clock = _Clock()
        if self.module.is_carrying:
            self._require_day_before(days[0].day)
        with tempfile.TemporaryDirectory(prefix="overwatch-") as scratch:
            bronze = BronzeDays(
                module=self.module,
                store=self.loader.store,
                organization_id=self.workspace.organization_id,
                first_ms=self.loader.calendar.window_of(self.workspace.first_day).since_ms,
                now_ms=self._now_ms(),
                stored_days=self._stored_days(),
                zone=self.loader.calendar.timezone,
                run_columns=self._run_columns(),
                redaction=self.loader.redaction(),
            )
            gathered = self._gathered(bronze, days, Path(scratch))
            self.processed.append(gathered.processed)
            for day in days:
                made = bronze.unite(gathered, day)
                stored: list[Staged] = []
                keyed: list[int] = []
                rows = 0
                for shard in made.shards:
                    frame = self._completed(shard)
                    require_lawful(self.module, self._cell(day.day), frame, day, None)
                    keyed.append(versions.version_of_rows(made.identity(frame)))
                    rows += frame.height
                    stored += self._stage(day.day, frame)
                self._record(
                    day,
                    rows=rows,
                    closed_version=sum(keyed) % 2**64,
                    reason="" if rows else made.reason,
                    counted=dict(gathered.counts) if day == days[-1] else {},
                    details={**clock.read(), **made.details, **_sizes(stored)},
                )
            self.side_rows.append(bronze.side_rows(gathered, days))

    def _gathered(self, bronze: BronzeDays, days: Sequence[DayWindow], scratch: Path) -> Gathered:
        name, org = self.module.source or "", self.workspace.organization_id
        with bronze.telling():
            coverage = self.loader.coverage.get(name, _no_coverage)
            return bronze.gather(
                self.loader.sources[name](org),
                days,
                coverage=coverage(org, days),
                processed=self.processed,
                scratch=scratch,
                is_retry=self.run.retry,
            )

    def _now_ms(self) -> int:
        """The present for a source: when the capture is taken, else when the run began."""
        is_capture = self.module.table.grain is Grain.CAPTURE
        return round((self.instant - is_capture * ONE_MS).timestamp() * 1000)

    def _stored_days(self) -> set[date]:
        """Days that hold rows, as the table says: bronze unites with them whatever is known."""
        if self.days_with_rows is None:
            org = self.workspace.organization_id
            partitions = self.loader.store.partitions(self.module.table, org)
            self.days_with_rows = set(partitions[PARTITION_DATE.name])
        return self.days_with_rows

    def _load_together(self, days: Sequence[DayWindow]) -> None:
        clock = _Clock()
        inputs = self._reader().of_days(self.module, days)
        window = Window(since=days[0].window.since, until=days[-1].window.until)
        made = self._called(inputs, window)
        by_day = made.partition_by(PARTITION_DATE.name, as_dict=True)
        found = {key[0] for key in by_day}
        require_days(self._cell(days[-1].day), found, {each.day for each in days})
        for each in days:
            is_of_day = pl.col(PARTITION_DATE.name) == each.day
            frames = {name: frame.filter(is_of_day) for name, frame in inputs.frames.items()}
            rows = by_day.get((each.day,))
            if rows is None:
                checks = self._checks(each, made.clear(), made.clear(), frames)
                self._keep_nothing(each, Past(None, (), {}), clock, checks)
                continue
            reads = self._reader().day_reads(self.module, each.day)
            self._keep(each, rows, Inputs(frames=frames, reads=reads), clock, carried=None)

    def _load_day(self, day: DayWindow) -> None:
        clock = _Clock()
        if self.run.redo and self._kept(day):
            return
        carried = self._carried(day.day) if self.module.is_carrying else None
        past = Past(carried=carried, staged=self.staged, records=self.records)
        if (carried is None or carried.is_empty()) and self._has_no_input(day.day):
            self._keep_nothing(day, past, clock, nothing_compared(self.module))
            return
        count = self._parts(day.day)
        if self.module.parts is not None and count > 1:
            self._load_in_parts(self.module.parts, day, past, clock, count)
            return
        inputs = self._reader().of_day(self.module, day, past)
        self._keep(day, self._made(inputs, day), inputs, clock, carried)

    def _made(self, inputs: Inputs, day: DayWindow) -> pl.DataFrame:
        rows = self._called(inputs, day.window)
        if self.module.decided_by != PARTITION_DATE.name:
            rows = rows.with_columns(pl.lit(day.day).alias(PARTITION_DATE.name))
        return rows

    def _parts(self, day: date) -> int:
        """How many parts a day is worked on in."""
        if self.module.parts is None:
            return 1
        tables = [self.module.table_of(parameter) for parameter in self.module.parts.inputs]
        return parts_for(sum(self._newest(name, (day,))[day].rows for name in tables))

    def _any_divided(self, days: Sequence[DayWindow]) -> bool:
        return any(self._parts(each.day) > 1 for each in days)

    def _load_in_parts(
        self, parts: Parts, day: DayWindow, past: Past, clock: "_Clock", count: int
    ) -> None:
        """Load a day that is too large for memory, part by part."""
        reader, carried = self._reader(), past.carried
        kept: list[Record] = []
        states: list[pl.DataFrame] = []
        with tempfile.TemporaryDirectory(prefix="overwatch-") as scratch:
            whole = reader.to_divide(self.module, parts, day)
            of_day = divided(parts, whole, count, Path(scratch))
            for number in range(count):
                self.part = partial(of_day.rows, number=number)
                own = None if carried is None else self.part(carried.lazy()).collect()
                of_part = replace(past, carried=own)
                inputs = reader.of_day(self.module, day, of_part, of_day.inputs(number))
                self._keep(day, self._made(inputs, day), inputs, clock, own)
                kept.append(self.records.pop(day.day))
                if self.carried is not None:
                    states.append(self.carried)
        self.part = None
        self.records[day.day] = united(kept)
        self.carried = pl.concat(states) if states else None
        self.run.progress(self._cell(day.day))

    def _has_no_input(self, day: date) -> bool:
        """Whether none of the tables read has a row that day; captures may lie on other days."""
        if any(isinstance(read, Captures) for read in self.module.reads.values()):
            return False
        return not any(self._newest(name, (day,))[day].rows for name in self.module.upstream)

    def _kept(self, day: DayWindow) -> bool:
        """Whether a redo leaves the day as it is: nothing it read has changed."""
        known = self._newest(self.module.table.name, (day.day,)).get(day.day)
        if known is None:
            return True
        if known.until_ms < day.window.until_ms:
            return False
        if versions.stale_reads(known, self._newest, self._closing):
            return False
        self.carried = None
        self.run.progress(self._cell(day.day))
        return True

    def _require_day_before(self, day: date) -> None:
        before = day - ONE_DAY
        table = self.module.table.name
        known = self._newest(table, (before,)).get(before)
        failed = known is None or (
            before not in self.records
            and self.loader.ledger.failed(table, self.workspace.organization_id, before)
        )
        require_day_before(
            self._cell(day),
            self.workspace.first_day,
            known,
            failed=known is not None and failed,
        )

    def _carried(self, day: date) -> pl.DataFrame | None:
        self._require_day_before(day)
        if day == self.workspace.first_day:
            return None
        if self.carried is not None:
            return self.carried
        before, org = day - ONE_DAY, self.workspace.organization_id
        if self.module.table.grain is Grain.VERSION:
            return self._reader().state_at_end(self.module, before, self.staged)
        rows = self.loader.store.scan(self.module.table, org, [before])
        return rows.filter(pl.col("is_open")).collect()

    def _called(self, inputs: Inputs, window: Window) -> pl.DataFrame:
        made = self.module.transform(**inputs.frames, window=window)
        return made.collect(engine="in-memory")

    def _keep(
        self,
        day: DayWindow,
        rows: pl.DataFrame,
        inputs: Inputs,
        clock: "_Clock",
        carried: pl.DataFrame | None,
    ) -> None:
        """Check, stage and record the rows of one day."""
        table = self.module.table
        counted: dict[str, int] = {}
        not_stored = rows.clear()
        if LEFT_OUT in rows.columns:
            not_stored = rows.filter(pl.col(LEFT_OUT).is_not_null())
            counted = dict(not_stored.group_by(LEFT_OUT).len().sort(LEFT_OUT).iter_rows())
            rows = rows.filter(pl.col(LEFT_OUT).is_null())
        if table.grain is Grain.VERSION:
            rows = rows.with_columns(is_open=pl.lit(value=False))
        require_lawful(self.module, self._cell(day.day), rows, day, carried)
        checks = self._checks(day, rows, not_stored, inputs.frames)
        closed = stored = self._completed(rows)
        state = open_rows = stored.clear()
        if table.grain is Grain.INTERVAL:
            state = open_rows = stored.filter(pl.col("is_open"))
            closed = stored.filter(~pl.col("is_open"))
        elif self.module.timeline is not None:
            state = self._state(self.module.timeline, day.day, closed, carried)
            if is_anchor(day.day, self.workspace.first_day):
                open_rows = state
                stored = pl.concat([closed, open_rows])
        reads = inputs.reads
        made_from = versions.version_of_versions(
            (f"{read.table} {read.kind}", read.version) for read in reads
        )
        exact = closed.height <= versions.EXACT_ROWS
        content = [column.name for column in table.columns if column.name in stored.columns]
        self._record(
            day,
            rows=stored.height,
            open_rows=open_rows.height,
            closed_version=(
                versions.version_of_rows(closed.select(content)) if exact else made_from
            ),
            open_version=versions.version_of_rows(state.select(content)),
            reason="" if stored.height else self._why_empty(day.day),
            reads=reads,
            counted=counted,
            checks=checks,
            details={
                **self._changes(day.day, stored),
                **_sizes(self._stage(day.day, stored)),
                **clock.read(),
            },
        )
        if self.module.is_carrying:
            self.carried = self._with_partition(state, day.day)

    def _checks(
        self, day: DayWindow, rows: pl.DataFrame, not_stored: pl.DataFrame, inputs: Frames
    ) -> tuple[Check, ...]:
        """What came of the module's rules."""
        if not self.module.rules:
            return ()
        frames = {**inputs, ROWS: rows.lazy(), NOT_STORED: not_stored.lazy()}
        given: dict[str, Frames] = {}
        for rule in self.module.rules:
            given[rule.name] = {**frames, EARLIER: self._earlier(rule, day, frames)}
            if rule.made_from is not None:
                given[rule.name][MADE_FROM] = inputs[rule.made_from]
        return require_kept(self.module, self._cell(day.day), given, day.window)

    def _earlier(self, rule: Rule, day: DayWindow, frames: Frames) -> pl.LazyFrame:
        """Closed rows of the table's own days before, since the instant that the rule names."""
        table = self.module.table
        since = rule.earlier and called(rule.earlier, frames, day.window).min().collect().item()
        if since is None:
            return pl.LazyFrame(schema=table.schema)
        instant = datetime.fromtimestamp(since / 1000, UTC)
        first = max(self.workspace.first_day, self.loader.calendar.day_of(instant))
        days = days_between(first, day.day - ONE_DAY)
        org = self.workspace.organization_id
        rows = self.loader.store.scan(table, org, days, staged=self.staged)
        return rows.filter(~pl.col("is_open")) if table.has_open_rows else rows

    def _state(
        self, timeline: Timeline, day: date, closed: pl.DataFrame, carried: pl.DataFrame | None
    ) -> pl.DataFrame:
        """The latest version of each living entity at the end of the day."""
        frames = [closed] if carried is None else [carried.select(closed.columns), closed]
        return state_of(pl.concat(frames).lazy(), timeline, self._end_ms(day))

    def _keep_nothing(
        self, day: DayWindow, past: Past, clock: "_Clock", checks: Sequence[Check]
    ) -> None:
        """Record a day whose inputs have no rows: nothing comes of nothing."""
        stored = self._newest_stored(day.day)
        self._record(
            day,
            rows=0,
            closed_version=0,
            reason=self._why_empty(day.day),
            reads=self._reader().reads_of_nothing(self.module, day.day, past),
            checks=checks,
            details={
                "inserts": 0,
                "updates": 0,
                "deletes": stored.rows if stored else 0,
                **clock.read(),
            },
        )
        if self.module.is_carrying and self.carried is None:
            self.carried = pl.DataFrame(schema=self.module.table.schema)

    def _newest_stored(self, day: date) -> Record | None:
        """What was loaded of a day before this run."""
        table = self.module.table.name
        self._newest(table, (day,))
        return self.known[table][day]

    def _completed(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The stored columns but the two of the partition, in stored order and type."""
        schema = self.module.table.schema
        partition = (ORGANIZATION_ID.name, PARTITION_DATE.name)
        return rows.with_columns(**self._run_columns()).select(
            name for name in schema if name not in partition
        )

    def _with_partition(self, rows: pl.DataFrame, day: date) -> pl.DataFrame:
        return rows.with_columns(
            pl.lit(self.workspace.organization_id).alias(ORGANIZATION_ID.name),
            pl.lit(day).alias(PARTITION_DATE.name),
        ).select(self.module.table.schema.names())

    def _run_columns(self) -> dict[str, pl.Expr]:
        return {
            "Pipeline_SnapTS": pl.lit(self.run.snapshot).cast(pl.Datetime("us", "UTC")),
            "Overwatch_RunID": pl.lit(self.run.run_id),
            "workspace_name": pl.lit(self.workspace.name),
        }

    def _stage(self, day: date, rows: pl.DataFrame) -> Sequence[Staged]:
        if rows.is_empty():
            return ()
        staged = self.loader.store.stage(
            self.module.table, self.workspace.organization_id, day, rows
        )
        self.staged += staged
        return staged

    def _changes(self, day: date, rows: pl.DataFrame) -> Mapping[str, int]:
        table = self.module.table
        org = self.workspace.organization_id
        if self._newest_stored(day) is None:
            return {"inserts": rows.height, "updates": 0, "deletes": 0}
        stored = self.loader.store.scan(table, org, [day])
        return changes_between(table, self.part(stored) if self.part else stored, rows)

    def _why_empty(self, day: date) -> str:
        empty = [name for name in self.module.upstream if not self._newest(name, (day,))[day].rows]
        if empty:
            return f"no rows on that day in {', '.join(empty)}"
        return "no row of its inputs concerns this table on that day"

    def _record(self, day: DayWindow, *, rows: int, **more: object) -> None:
        whole = self.loader.calendar.window_of(day.day)
        values: dict[str, object] = {"open_rows": 0, "open_version": 0, **more}
        self.records[day.day] = Record(
            table=self.module.table.name,
            organization_id=self.workspace.organization_id,
            day=day.day,
            since_ms=day.window.since_ms,
            until_ms=day.window.until_ms,
            day_end_ms=whole.until_ms,
            status=Status.SUCCESS if rows else Status.EMPTY,
            rows=rows,
            snapshot_ms=self.run.snapshot_ms,
            run_id=self.run.run_id,
            delta_version=-1,
            **values,  # pyright: ignore[reportArgumentType] - checked by Record's own types
        )
        if self.part is None:
            self.run.progress(self._cell(day.day))


class _Clock:
    """Seconds since it was made, and the process's peak memory."""

    def __init__(self) -> None:
        self._begin = time.monotonic()

    def read(self) -> dict[str, float]:
        """Seconds so far and peak resident memory in MB."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {
            "seconds": round(time.monotonic() - self._begin, 3),
            "peak_memory_mb": round(peak, 1),
        }


def _sizes(staged: Sequence[Staged]) -> dict[str, int]:
    return {"bytes": sum(each.size for each in staged), "files": len(staged)}


def _no_coverage(_organization_id: str, _days: Sequence[DayWindow]) -> pl.DataFrame:
    return pl.DataFrame()
