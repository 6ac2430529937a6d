"""What is remembered of a loaded day: how far it went, what it read, what it holds.

The records decide whether a day may be built upon and what a reload must redo. Where they are
kept is the ledger's affair: Dagster's run storage in production, a dictionary in tests.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Protocol


class Status(StrEnum):
    """Outcome of a day that was loaded; a failed day has no record, its step is red."""

    SUCCESS = "SUCCESS"
    EMPTY = "EMPTY"


class ReadKind(StrEnum):
    """How a day depends on what it read: which change of it makes the day stale."""

    DAY = "day"
    CLOSED = "closed"
    CARRIED = "carried"
    AS_OF = "as_of"
    CAPTURES = "captures"
    REFERENCE = "reference"
    HISTORY = "history"
    OVERLAP = "overlap"


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """One read of a day.

    Attributes:
        table: Table read.
        kind: Decides which versions count.
        first: First day read.
        last: Last day read.
        version: Version of what was read, as `versions.version_read` computes it.
    """

    table: str
    kind: ReadKind
    first: date
    last: date
    version: int


@dataclass(frozen=True, slots=True)
class Check:
    """Whether a rule holds on a day.

    Attributes:
        rule: Its name.
        compared: How many things were compared.
        broken: In how many of them it does not hold.
        is_warning: The day is stored even so.
        figures: Sums of what was compared.
        examples: Some of where it does not hold, with the figures there.
    """

    rule: str
    compared: int = 0
    broken: int = 0
    is_warning: bool = False
    figures: Mapping[str, float | int] = field(default_factory=dict[str, float | int])
    examples: Sequence[str] = ()

    @property
    def holds(self) -> bool:
        """Whether it holds everywhere."""
        return self.broken == 0


@dataclass(frozen=True, slots=True)
class Record:
    """One loaded day of one table and workspace.

    Attributes:
        since_ms: Start of the day's window, epoch ms.
        until_ms: Where the window was cut: the day's end, or the snapshot time before it.
        day_end_ms: End of the calendar day; equal to `until_ms` when the day is complete.
        reason: Why the day is empty; blank when it isn't.
        rows: Rows stored, open ones included.
        counted: Rows and events that were counted and not stored, by reason.
        closed_version: Hash of the closed rows without the run's columns.
        open_version: Hash of the open rows, of versions of the state that the day hands on; 0
            when there are none.
        reads: What the day was made from.
        details: Further numbers for people: seconds, bytes, peak memory, inserts and so on.
        checks: Whether the module's rules hold.
    """

    table: str
    organization_id: str
    day: date
    since_ms: int
    until_ms: int
    day_end_ms: int
    status: Status
    reason: str
    rows: int
    open_rows: int
    closed_version: int
    open_version: int
    snapshot_ms: int
    run_id: str
    delta_version: int
    reads: tuple[ReadRecord, ...] = ()
    counted: Mapping[str, int] = field(default_factory=dict[str, int])
    details: Mapping[str, float | int | str] = field(default_factory=dict[str, float | int | str])
    checks: Sequence[Check] = ()

    @property
    def is_complete(self) -> bool:
        """Whether the window reached the end of the day."""
        return self.until_ms >= self.day_end_ms

    @property
    def rows_version(self) -> int:
        """Version of all rows of the day."""
        return (self.closed_version * 31 + self.open_version) % 2**64

    def to_json(self) -> str:
        """The record as JSON text."""
        return json.dumps(asdict(self), default=str, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Record":
        """Read what `to_json` wrote."""
        fields: dict[str, Any] = json.loads(text)
        fields["day"] = date.fromisoformat(fields["day"])
        fields["status"] = Status(fields["status"])
        fields["reads"] = tuple(_read_record(each) for each in fields["reads"])
        fields["checks"] = tuple(_check(each) for each in fields.get("checks", ()))
        return cls(**fields)


def _read_record(fields: dict[str, Any]) -> ReadRecord:
    return ReadRecord(
        table=fields["table"],
        kind=ReadKind(fields["kind"]),
        first=date.fromisoformat(fields["first"]),
        last=date.fromisoformat(fields["last"]),
        version=fields["version"],
    )


def _check(fields: dict[str, Any]) -> Check:
    fields["examples"] = tuple(fields["examples"])
    return Check(**fields)


class Ledger(Protocol):
    """Where records are kept."""

    def latest(
        self, table: str, organization_id: str, days: Collection[date]
    ) -> Mapping[date, Record]:
        """The newest record of each day that has one."""
        ...

    def days(self, table: str, organization_id: str) -> Sequence[date]:
        """Every day that was ever loaded, ascending."""
        ...

    def failed(self, table: str, organization_id: str, day: date) -> bool:
        """Whether the newest attempt to load the day failed."""
        ...

    def write(self, records: Sequence[Record]) -> None:
        """Keep new records; they become the newest of their days."""
        ...
