"""What a table declares about itself: its columns, keys, grain, and what it may read.

Here belong the vocabulary of a declaration and the `@module` decorator. Not here: anything
that runs a declaration (`execution/`), stores its rows (`delta/`) or shows it (`assets.py`).
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property

import polars as pl

TIMESTAMP = pl.Datetime("us", "UTC")

DECIDED_MS = "_decided_ms"
"""Working column: epoch ms of the event that decided the row; null in an open row."""

LEFT_OUT = "_left_out"
"""Working column: why a row is counted but not stored; null in a row that is stored."""

HOLDS = "_holds"
"""Working column of what a rule compares: whether the rule holds there."""

ROWS, NOT_STORED, EARLIER, MADE_FROM = "rows", "not_stored", "earlier", "made_from"
"""Parameters of rules, beside the module's inputs."""

HISTORY_DAYS = 60
"""How far back a module looks for its own closed keys."""


class Layer(StrEnum):
    """How far a table is from the raw records; the group of its asset."""

    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"


class Scope(StrEnum):
    """Overwatch's switchable parts of a deployment."""

    AUDIT = "audit"
    NOTEBOOKS = "notebooks"
    ACCOUNTS = "accounts"
    POOLS = "pools"
    CLUSTERS = "clusters"
    CLUSTER_EVENTS = "clusterEvents"
    SPARK_EVENTS = "sparkEvents"
    JOBS = "jobs"
    DBSQL = "dbsql"
    WAREHOUSE_EVENTS = "warehouseEvents"
    NOTEBOOK_COMMANDS = "notebookCommands"


class Grain(StrEnum):
    """What one row is, hence which event decides its day (DESIGN.md, section 3)."""

    EVENT = "event"
    INTERVAL = "interval"
    VERSION = "version"
    """What an entity was from a change on. On Mondays and on the workspace's first day the
    latest row of each living entity is stored once more, as open, so that what holds on a day
    is found within a week's rows."""
    CAPTURE = "capture"
    """An object as the API showed it when it was asked, on the day that it was asked."""
    OBSERVATION = "observation"
    """What the API told of an object that belongs to the day asked for."""
    RECORD = "record"
    """A record of a run (trackers, rejected lines); the laws do not cover it."""
    REFERENCE = "reference"
    """A figure with its validity (prices), in the partition of the day it becomes valid; a
    workspace's are replaced as a whole, and the laws do not cover them."""


class Content(StrEnum):
    """What a bronze column holds that redaction must know of; e-mails are found in any text."""

    SQL_TEXT = "sql text"
    COMMAND_TEXT = "command text"
    SQL_OR_COMMAND = "sql or command text"
    """Either of them, which nothing tells apart."""
    SQL_ERROR = "error of sql"
    """What went wrong with a SQL text, parts of which it may repeat."""
    RAW_RECORD = "raw record"
    """The beginning of a record that could not be read."""
    USER_AGENT = "user agent"
    """Products with their versions, which may look like addresses."""
    FINGERPRINT = "fingerprint"
    """A 64-bit hash of what the other columns hold."""


@dataclass(frozen=True, slots=True)
class Column:
    """A stored column.

    Attributes:
        name: As users query it.
        dtype: Polars type; Delta's follows from it.
        doc: Meaning, unit and what null means.
        content: What redaction must know of it; None: nothing.
    """

    name: str
    dtype: pl.DataType | type[pl.DataType]
    doc: str
    content: Content | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open stretch of time, `[since, until)`, both aware.

    Attributes:
        since: Its first instant.
        until: The first instant after it.
        zone: IANA name of the time zone whose midnights divide days.
    """

    since: datetime
    until: datetime
    zone: str = "UTC"

    @property
    def since_ms(self) -> int:
        """Start in epoch milliseconds."""
        return round(self.since.timestamp() * 1000)

    @property
    def until_ms(self) -> int:
        """End in epoch milliseconds."""
        return round(self.until.timestamp() * 1000)

    def contains(self, instant: pl.Expr) -> pl.Expr:
        """Whether a timestamp lies in the window."""
        return (instant >= self.since) & (instant < self.until)

    def contains_ms(self, instant_ms: pl.Expr) -> pl.Expr:
        """Whether an epoch in milliseconds lies in the window."""
        return (instant_ms >= self.since_ms) & (instant_ms < self.until_ms)


@dataclass(frozen=True, slots=True)
class DayWindow:
    """A partition's day and its window, which a run's snapshot time may cut short."""

    day: date
    window: Window


@dataclass(frozen=True, slots=True)
class Day:
    """The rows of a table in the partition of the day, closed and open.

    Attributes:
        table: Table read; None: the one named like the parameter.
        closed: Only closed rows; of versions there are no others.
        in_memory: Read once, whole, before the transform: for a transform that reads most of
            the table's rows and columns several times, where a scan each time costs more.
        soft: A day that is not loaded counts as empty.
    """

    table: str | None = None
    closed: bool = False
    in_memory: bool = False
    soft: bool = False


@dataclass(frozen=True, slots=True)
class Carried:
    """The module's own open rows at the end of the day before.

    Of versions the latest row of each living entity.
    """


@dataclass(frozen=True, slots=True)
class AsOf:
    """Versions that may hold at instants of the day.

    The latest of each entity when the day began, and those of the day itself.

    Attributes:
        table: Table of versions; None: the one named like the parameter.
    """

    table: str | None = None


@dataclass(frozen=True, slots=True)
class Captures:
    """Captures of the day, and the closing one: the first taken at or after the day's end.

    The column `is_closing` tells them apart. A day without any is loaded all the same. On the
    workspace's first day, `is_first_day` is true in all of them: what is older than the audit log
    begins then.

    Attributes:
        table: Table of captures; None: the one named like the parameter.
    """

    table: str | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """Figures with their validity, such as prices; a change of them redoes nothing by itself.

    Attributes:
        name: Name of the reference; None: that of the parameter.
    """

    name: str | None = None


@dataclass(frozen=True, slots=True)
class History:
    """Closed rows of the past whose key the day itself names.

    Attributes:
        wanted: From the other inputs (by parameter name) to a frame of keys; its columns are
            the key. Nothing is read when it is empty.
        columns: What is read of the past rows, the key's columns included.
        table: Table read; None: the module's own.
        days: How many days before the day are read.
    """

    wanted: Callable[..., pl.LazyFrame]
    columns: tuple[str, ...]
    table: str | None = None
    days: int = HISTORY_DAYS


@dataclass(frozen=True, slots=True)
class Overlap:
    """Closed rows since an instant that the day itself names, and the day's open rows.

    Attributes:
        since: From the other inputs (by parameter name) to a frame of one column, epoch ms;
            its minimum is the earliest instant of interest. Empty: only the day is read.
        table: Table read; None: the one named like the parameter.
        soft: Days that are not loaded count as empty.
    """

    since: Callable[..., pl.LazyFrame]
    table: str | None = None
    soft: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """The rows that the partition holds already: bronze unites, it never shrinks."""


@dataclass(frozen=True, slots=True)
class FromSource:
    """Raw records of a source, cut to the day.

    Attributes:
        source: Name of the source in `sources/`.
    """

    source: str


@dataclass(frozen=True, slots=True)
class Rule:
    """What the rows of a day keep, or else the day does not become visible.

    Attributes:
        name: Name of the asset check that shows whether it holds.
        doc: The rule as a sentence.
        compared: From frames, by parameter name, to what is compared: the columns of `by`, figures
            of both sides, and `HOLDS`. It may take the module's inputs, `rows` (those of the day),
            `not_stored` (what of the day has a `LEFT_OUT`), `earlier`, `made_from` and `window`.
        by: Columns that tell what was compared; figures are all others.
        remedy: What to do where it does not hold.
        earlier: From what `compared` may take to a frame of one column, epoch ms: the table's
            closed rows since the minimum of it, up to the day before, are `earlier`.
        made_from: Name of the input that is `made_from`, for rules that several tables keep.
        is_warning: Where it does not hold the day is stored all the same, and told of.
    """

    name: str
    doc: str
    compared: Callable[..., pl.LazyFrame]
    by: tuple[str, ...]
    remedy: str
    earlier: Callable[..., pl.LazyFrame] | None = None
    made_from: str | None = None
    is_warning: bool = False


@dataclass(frozen=True, slots=True)
class Parts:
    """How a day too large for memory is worked on in parts, one after the other.

    Whatever a row is made from, and whatever else has its key, must be in the row's part, and
    each rule of the module must hold in every part.

    Attributes:
        inputs: Inputs of the day that are divided, by parameter: rows with the same value are in
            the same part. All others are given to every part.
        rows: The same of the module's own rows.
    """

    inputs: Mapping[str, pl.Expr]
    rows: pl.Expr


Read = Day | Carried | AsOf | Captures | History | Overlap | Reference | Stored | FromSource
Transform = Callable[..., pl.LazyFrame]

ORGANIZATION_ID = Column("organization_id", pl.String, "Workspace id, as text.")
IS_OPEN = Column(
    "is_open",
    pl.Boolean,
    "Nothing had ended the interval when the day did; the row says what was known then.",
)
PARTITION_DATE = Column(
    "partition_date",
    pl.Date,
    "Day of the event that decided the row, in the configured time zone.",
)
RUN_COLUMNS = (
    Column("Pipeline_SnapTS", TIMESTAMP, "Snapshot time of the run that wrote the row."),
    Column("Overwatch_RunID", pl.String, "Dagster run that wrote the row."),
    Column("workspace_name", pl.String, "Configured name of the workspace."),
)


def _key_column(key: str) -> pl.Expr:
    name, *fields = key.split(".")
    column = pl.col(name)
    for each in fields:
        column = column.struct.field(each)
    return column.alias(key)


@dataclass(frozen=True)
class Table:
    """A Delta table as it is stored: the declared columns and those every table has."""

    name: str
    columns: tuple[Column, ...]
    keys: tuple[str, ...]
    grain: Grain
    doc: str

    @cached_property
    def stored_columns(self) -> tuple[Column, ...]:
        """Every column in stored order: declared, `is_open` for intervals, then the run's."""
        declared = tuple(c for c in self.columns if c.name != ORGANIZATION_ID.name)
        has_open = self.grain in {Grain.INTERVAL, Grain.VERSION}
        is_open = (IS_OPEN,) if has_open else ()
        return (ORGANIZATION_ID, *declared, *is_open, PARTITION_DATE, *RUN_COLUMNS)

    @property
    def has_open_rows(self) -> bool:
        """Whether a row may be open."""
        return self.grain in {Grain.INTERVAL, Grain.VERSION}

    @cached_property
    def key_columns(self) -> tuple[pl.Expr, ...]:
        """The key as expressions; `A.B` is field B of struct A. `organization_id` is implied."""
        return tuple(_key_column(key) for key in self.keys)

    @cached_property
    def schema(self) -> pl.Schema:
        """Stored names and types, in stored order."""
        return pl.Schema({column.name: column.dtype for column in self.stored_columns})


def _is_needed(read: Read) -> bool:
    match read:
        case Captures():
            return False
        case Day(soft=soft) | Overlap(soft=soft):
            return not soft
        case _:
            return True


@dataclass(frozen=True, slots=True)
class Timeline:
    """How the versions of an entity follow each other.

    Attributes:
        entity: Columns that name the entity.
        order: Columns by which its versions follow each other; the last one holds.
        forgotten: From the epoch ms of a day's end to whether a latest version is forgotten then:
            the entity is gone for good.
    """

    entity: tuple[str, ...]
    order: tuple[str, ...]
    forgotten: Callable[[int], pl.Expr]


@dataclass(frozen=True, slots=True)
class Module:
    """A table together with the transform that makes its rows.

    Attributes:
        module_id: Overwatch's id; its thousands tell the layer.
        name: Overwatch's name.
        table: What is stored.
        scope: Switch that turns the module on.
        reads: Parameter of the transform -> what it sees. Nothing else is reachable.
        transform: Pure function of the frames in `reads` and the keyword `window`.
        decided_by: Column that holds the deciding event's epoch ms, or `partition_date`
            where a row stays in the partition of the row it is made from.
        follows: Tables whose same day must be loaded first although no row of theirs is read as
            content (bronze looks up in them what to ask the source for).
        looks_up: Tables that are looked up likewise, in whatever days they have.
        builds_on_day_before: What its own day before holds decides what the source is asked.
        asked_at_once: Its source is asked for all days of a run together and not in chunks,
            because asking takes longer than what is told takes room.
        provisional: Columns of open rows that later days may still change.
        timeline: Versions: what is versioned, and which of its versions counts.
        tracker: Bronze from files: the table of the files opened.
        rejected: Bronze from files: the table of the lines and files that were no records.
        errors: Bronze from the API: the table of the objects that could not be fetched.
        rules: What its rows keep, beside the laws of every table.
        parts: How a huge day is divided; None: it is worked on as a whole.
    """

    module_id: int
    name: str
    table: Table
    scope: Scope
    reads: Mapping[str, Read]
    transform: Transform
    decided_by: str
    follows: tuple[str, ...] = ()
    provisional: tuple[str, ...] = ()
    tracker: Table | None = None
    rejected: Table | None = None
    errors: Table | None = None
    looks_up: tuple[str, ...] = ()
    timeline: Timeline | None = None
    builds_on_day_before: bool = False
    asked_at_once: bool = False
    rules: tuple[Rule, ...] = ()
    parts: Parts | None = None

    def __call__(self, *frames: pl.LazyFrame, **rest: object) -> pl.LazyFrame:
        """Run the transform."""
        return self.transform(*frames, **rest)

    @property
    def layer(self) -> Layer:
        """Layer of the module id: 1xxx bronze, 2xxx silver, 3xxx gold."""
        return (Layer.BRONZE, Layer.SILVER, Layer.GOLD)[self.module_id // 1000 - 1]

    @property
    def source(self) -> str | None:
        """Source of a bronze module; None for a module that is made of tables."""
        named = (read.source for read in self.reads.values() if isinstance(read, FromSource))
        return next(named, None)

    @property
    def is_carrying(self) -> bool:
        """Whether a day needs the day before."""
        carries = any(isinstance(read, Carried) for read in self.reads.values())
        return carries or self.builds_on_day_before

    @property
    def is_stateless(self) -> bool:
        """Whether a day needs nothing but the same day of its inputs."""
        return all(isinstance(read, Day) for read in self.reads.values())

    def table_of(self, parameter: str) -> str:
        """Name of the table that a parameter of the transform reads."""
        read = self.reads[parameter]
        match read:
            case Day(table=None) | Overlap(table=None) | AsOf(table=None) | Captures(table=None):
                return parameter
            case (
                Day(table=str(name))
                | Overlap(table=str(name))
                | History(table=str(name))
                | AsOf(table=str(name))
                | Captures(table=str(name))
            ):
                return name
            case _:
                return self.table.name

    @property
    def upstream(self) -> tuple[str, ...]:
        """Tables whose same day must be loaded before, in order of declaration, without its own."""
        return tuple(dict.fromkeys((*self.follows, *self._tables_read(needed=True))))

    @property
    def dependencies(self) -> tuple[str, ...]:
        """Tables that come before it in a run: those it needs and those it looks up."""
        others = (*self.looks_up, *self._tables_read(needed=False))
        return tuple(dict.fromkeys((*self.upstream, *others)))

    def _tables_read(self, *, needed: bool) -> list[str]:
        """Other modules' tables whose same day must be there, or need not be."""
        return [
            name
            for parameter, read in self.reads.items()
            if not isinstance(read, Reference) and _is_needed(read) is needed
            if (name := self.table_of(parameter)) != self.table.name
        ]

    @property
    def side_tables(self) -> tuple[Table, ...]:
        """Tables that are written beside its own."""
        return tuple(each for each in (self.tracker, self.rejected, self.errors) if each)


def module(
    *,
    module_id: int,
    name: str,
    scope: Scope,
    grain: Grain,
    columns: tuple[Column, ...],
    keys: tuple[str, ...],
    reads: Mapping[str, Read],
    decided_by: str = DECIDED_MS,
    follows: tuple[str, ...] = (),
    provisional: tuple[str, ...] = (),
    tracker: Table | None = None,
    rejected: Table | None = None,
    errors: Table | None = None,
    looks_up: tuple[str, ...] = (),
    timeline: Timeline | None = None,
    builds_on_day_before: bool = False,
    asked_at_once: bool = False,
    rules: tuple[Rule, ...] = (),
    parts: Parts | None = None,
) -> Callable[[Transform], Module]:
    """Declare the decorated transform as a module; its name is the table's.

    The decorated name becomes the `Module`; calling it runs the function.

    Raises:
        TypeError: The transform's parameters are not those of `reads`, a key is no column, or a
            rule takes what there is not.
    """

    def declare(transform: Transform) -> Module:
        table_name: str = transform.__name__
        parameters = {
            each.name
            for each in inspect.signature(transform).parameters.values()
            if each.kind is not inspect.Parameter.KEYWORD_ONLY
        }
        if parameters != set(reads):
            wrong = f"{table_name} takes {sorted(parameters)} but declares {sorted(reads)}"
            raise TypeError(wrong)
        known = {column.name for column in columns}
        if (timeline is not None) != (grain is Grain.VERSION):
            wrong = f"{table_name}: a table of versions, and no other, has a timeline"
            raise TypeError(wrong)
        if unknown := {key for key in keys if key.split(".")[0] not in known}:
            wrong = f"{table_name}: keys {sorted(unknown)} are no columns"
            raise TypeError(wrong)
        _require_answerable(table_name, rules, reads)
        doc = inspect.getdoc(inspect.getmodule(transform)) or ""
        return Module(
            module_id=module_id,
            name=name,
            table=Table(name=table_name, columns=columns, keys=keys, grain=grain, doc=doc),
            scope=scope,
            reads=dict(reads),
            transform=transform,
            decided_by=decided_by,
            follows=follows,
            provisional=provisional,
            tracker=tracker,
            rejected=rejected,
            errors=errors,
            looks_up=looks_up,
            timeline=timeline,
            builds_on_day_before=builds_on_day_before,
            asked_at_once=asked_at_once,
            rules=rules,
            parts=parts,
        )

    return declare


def _require_answerable(
    table_name: str, rules: tuple[Rule, ...], reads: Mapping[str, Read]
) -> None:
    """Refuse rules of the same name, and rules that ask for what they can't be given.

    Raises:
        TypeError: Says which.
    """
    if len({rule.name for rule in rules}) < len(rules):
        wrong = f"{table_name}: two rules have the same name"
        raise TypeError(wrong)
    if rules and any(isinstance(read, FromSource) for read in reads.values()):
        wrong = f"{table_name}: what a source tells is kept as it is, without rules"
        raise TypeError(wrong)
    for rule in rules:
        given = {*reads, ROWS, NOT_STORED, "window"}
        taken = set[str]()
        if rule.made_from is not None:
            taken.add(rule.made_from)
            given.add(MADE_FROM)
        if rule.earlier is not None:
            taken.update(inspect.signature(rule.earlier).parameters)
            given.add(EARLIER)
        taken.update(inspect.signature(rule.compared).parameters)
        if unknown := taken - given:
            wrong = f"{table_name}: rule {rule.name} takes {sorted(unknown)}"
            raise TypeError(wrong)
