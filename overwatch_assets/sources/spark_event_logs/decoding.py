"""Lines of a block as decoded events; a line that is none is told, with the reason.

Lines of one type are decoded one after the other without a dictionary per event. When one of
them fails, they are decoded again singly, each from its whole text, so that what was cut out
of a line never decides whether it is an event.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, cast

import msgspec
import polars as pl

from overwatch_assets.sources.spark_event_logs import events, task_events
from overwatch_assets.sources.spark_event_logs.columns import frame_of
from overwatch_assets.sources.spark_event_logs.dispatch import Dispatched, Lines, dispatched
from overwatch_assets.sources.spark_event_logs.lines import HEAD_BYTES, Block

LINE = "_line"
"""Working column: number of the event's line in its file."""

TASK_START = "SparkListenerTaskStart"
TASK_END = "SparkListenerTaskEnd"
APPLICATION_START = "SparkListenerApplicationStart"

_SQL = "org.apache.spark.sql.execution.ui.SparkListener"
_STREAMING = "org.apache.spark.sql.streaming.StreamingQueryListener$"

TYPES: dict[str, type[msgspec.Struct]] = {
    TASK_START: task_events.TaskStart,
    TASK_END: task_events.TaskEnd,
    APPLICATION_START: events.ApplicationStart,
    "SparkListenerApplicationEnd": events.ApplicationEnd,
    "SparkListenerExecutorAdded": events.ExecutorAdded,
    "SparkListenerExecutorRemoved": events.ExecutorRemoved,
    "SparkListenerJobStart": events.JobStart,
    "SparkListenerJobEnd": events.JobEnd,
    "SparkListenerStageSubmitted": events.StageSubmitted,
    "SparkListenerStageCompleted": events.StageCompleted,
    f"{_SQL}SQLExecutionStart": events.SQLExecutionStart,
    f"{_SQL}SQLExecutionEnd": events.SQLExecutionEnd,
    f"{_STREAMING}QueryStarted": events.QueryStarted,
    f"{_STREAMING}QueryStartedEvent": events.QueryStarted,
    f"{_STREAMING}QueryProgress": events.QueryProgress,
    f"{_STREAMING}QueryProgressEvent": events.QueryProgress,
}
"""Event types that are decoded, by the name in the log; Spark 2.0 has the shorter ones."""

ALL_TYPES = frozenset(TYPES)

IN_FUTURE = "time_in_future"

_NOT_AN_EVENT = (ValueError, RecursionError)
"""What decoding raises; deep nesting is no decoding error to msgspec."""

MOST_BAD_LINES = 10_000
"""Bad lines of a file that are kept; more are only counted."""

_ROWS_AT_ONCE = 4000
"""Objects made into columns at once: enough to make up for what a column costs by itself."""

_MOST_TYPE_NAMES = 1000
_LONGEST_TYPE_NAME = 200
_FURTHER_TYPES = "(further types)"


def _decoder(shape: Any) -> Callable[[bytes], Any]:  # noqa: ANN401 - any type
    return msgspec.json.Decoder(shape, strict=False).decode


_DECODERS = {name: _decoder(shape) for name, shape in TYPES.items()}
_decode_task_start = _DECODERS[TASK_START]
_decode_task_end: Callable[[bytes], task_events.TaskEnd] = _DECODERS[TASK_END]
_decode_reason = _decoder(task_events.EndReason | None)
_decode_metrics = _decoder(task_events.ExecutorMetrics | None)
_decode_any = _decoder(events.AnyEvent)
_finish_of: Callable[[task_events.TaskEnd], int | None] = attrgetter("TaskInfo.FinishTime")
_reason_of: Callable[[task_events.TaskEnd], msgspec.Raw] = attrgetter("reason")


class _TooLateError(ValueError):
    """An event whose time lies in the future."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no event.

    Attributes:
        number: In the file, from 1.
        reason: What is wrong with it; never its content.
        text: Its beginning.
    """

    number: int
    reason: str
    text: bytes


@dataclass(slots=True)
class Repeated:
    """Values of which most are repeated: each different text is decoded once.

    Attributes:
        values: The different values.
        rows: Which of them each event has.
    """

    values: list[Any] = field(default_factory=list[Any])
    rows: list[int] = field(default_factory=list[int])
    _known: dict[bytes, int] = field(default_factory=dict[bytes, int])

    def rows_of(self, texts: Sequence[bytes], decode: Callable[[bytes], Any]) -> Sequence[int]:
        """Which values texts are, to be added; new ones are decoded.

        Raises:
            ValueError: One of them is no such value; nothing is learned then.
            RecursionError: Likewise.
        """
        known = self._known
        rows = list(map(known.get, texts))
        if None in rows:
            self._learn(dict.fromkeys(texts), decode)
            rows = list(map(known.__getitem__, texts))
        return cast("list[int]", rows)

    def join(self, other: "Repeated") -> None:
        """Add another log's values and rows."""
        known = len(self.values)
        self.values += other.values
        self.rows += [known + row for row in other.rows]

    def _learn(self, texts: Iterable[bytes], decode: Callable[[bytes], Any]) -> None:
        new = [text for text in texts if text not in self._known]
        values = list(map(decode, new))
        for text in new:
            self._known[text] = len(self._known)
        self.values += values


@dataclass(slots=True)
class Typed:
    """Events of one type.

    Attributes:
        shape: Their type.
        rows: The last of them, not yet columns.
    """

    shape: type[msgspec.Struct]
    rows: list[Any] = field(default_factory=list[Any])
    _numbers: list[int] = field(default_factory=list[int])
    _frames: list[pl.DataFrame] = field(default_factory=list[pl.DataFrame])

    @property
    def has_columns(self) -> bool:
        """Whether some of them are columns already."""
        return bool(self._frames)

    def extend(self, rows: Sequence[Any], numbers: Sequence[int]) -> None:
        """Add events with the numbers of their lines."""
        self.rows += rows
        self._numbers += numbers
        if len(self.rows) >= _ROWS_AT_ONCE:
            self._make_columns()

    def frame(self) -> pl.DataFrame | None:
        """All events with the numbers of their lines; None without events."""
        if self.rows:
            self._make_columns()
        return pl.concat(self._frames, rechunk=True) if self._frames else None

    def _make_columns(self) -> None:
        numbers = pl.Series(LINE, self._numbers, dtype=pl.Int64)
        self._frames.append(frame_of(self.rows, self.shape).insert_column(0, numbers))
        self.rows, self._numbers = [], []


class BlockLines:
    """Whole lines of a block by number, split when the first is asked for."""

    def __init__(self, block: Block, first_number: int) -> None:
        self.block = block
        self.first_number = first_number
        self._texts: list[bytes] | None = None

    def text(self, number: int) -> bytes:
        """The line of that number in the file."""
        if self._texts is None:
            self._texts = self.block.text[self.block.begin : self.block.end].split(b"\n")
        return self._texts[number - self.first_number]


@dataclass(slots=True)
class Decoded:
    """Decoded events of adjacent blocks.

    Attributes:
        latest_ms: Events after it are rejected.
        types: Decoded types that are wanted; events of the others are counted and not read.
        task_ends: Ends of tasks.
        reasons: Why each of them ended.
        executor_metrics: Each one's executor metrics.
        others: Of all other decoded types, by type.
        counts: Events by type, those that are not decoded included.
        bad: Lines that are no events, in no order, up to `MOST_BAD_LINES`.
        bad_count: How many there are.
        first_ms: Time of the earliest event that tells one, epoch ms; None without such.
        last_ms: Time of the latest.
        is_dated: Whether every event tells its time.
    """

    latest_ms: int
    types: Collection[str] = ALL_TYPES
    task_ends: Typed = field(default_factory=lambda: Typed(task_events.TaskEnd))
    reasons: Repeated = field(default_factory=Repeated)
    executor_metrics: Repeated = field(default_factory=Repeated)
    others: dict[str, Typed] = field(default_factory=dict[str, Typed])
    counts: Counter[str] = field(default_factory=Counter[str])
    bad: list[BadLine] = field(default_factory=list[BadLine])
    bad_count: int = 0
    first_ms: int | None = None
    last_ms: int | None = None
    is_dated: bool = True

    @property
    def rows(self) -> int | None:
        """How many events there are; None once some are columns already."""
        typed = (self.task_ends, *self.others.values())
        if any(each.has_columns for each in typed):
            return None
        return sum(len(each.rows) for each in typed)

    def join(self, decoded: "Decoded", number: int) -> None:
        """Add events of another log, none of them columns yet, under one number for all."""
        ends = decoded.task_ends
        self.task_ends.extend(ends.rows, [number] * len(ends.rows))
        self.reasons.join(decoded.reasons)
        self.executor_metrics.join(decoded.executor_metrics)
        for name, typed in decoded.others.items():
            self.others.setdefault(name, Typed(typed.shape)).extend(
                typed.rows, [number] * len(typed.rows)
            )

    def add(self, lines: BlockLines) -> int:
        """Decode the lines of a block; returns how many they are."""
        found = dispatched(lines.block, lines.first_number)
        self._add_task_ends(found, lines)
        self._add_others(TASK_START, found.task_starts)
        for name, of_type in found.others.items():
            known = name.decode("latin-1")
            if known in TYPES:
                self._add_others(known, of_type)
            else:
                self._add_by_content(of_type)
        return found.count

    def _add_task_ends(self, found: Dispatched, lines: BlockLines) -> None:
        texts, numbers = found.task_ends.texts, found.task_ends.numbers
        if self._is_left_out(TASK_END, len(texts)):
            return
        try:
            self._extend_task_ends(texts, found.executor_metrics, numbers)
        except _NOT_AN_EVENT:
            for text, metrics, number in zip(texts, found.executor_metrics, numbers, strict=True):
                try:
                    self._extend_task_ends([text], [metrics], [number])
                except _NOT_AN_EVENT:
                    self._add_task_end(lines.text(number), number)

    def _add_task_end(self, text: bytes, number: int) -> None:
        try:
            self._extend_task_ends([text], [None], [number])
        except _NOT_AN_EVENT as error:
            self.reject(number, _reason(error), text)

    def _extend_task_ends(
        self, texts: Sequence[bytes], metrics: Sequence[bytes | None], numbers: Sequence[int]
    ) -> None:
        rows = list(map(_decode_task_end, texts))
        self._require_past(_ends_of(rows))
        reasons = self.reasons.rows_of(list(map(bytes, map(_reason_of, rows))), _decode_reason)
        metrics_texts = metrics
        if None in metrics:
            metrics_texts = [
                bytes(row.executor_metrics) if cut_out is None else cut_out
                for row, cut_out in zip(rows, metrics, strict=True)
            ]
        self.executor_metrics.rows += self.executor_metrics.rows_of(
            cast("Sequence[bytes]", metrics_texts), _decode_metrics
        )
        self.reasons.rows += reasons
        self.task_ends.extend(rows, numbers)
        self.counts[TASK_END] += len(rows)

    def _add_others(self, name: str, lines: Lines) -> None:
        """Add lines of a decoded type."""
        if self._is_left_out(name, len(lines.texts)):
            return
        rows, numbers = list[Any](), lines.numbers
        try:
            rows = self._decoded(name, lines.texts)
        except _NOT_AN_EVENT:
            numbers = []
            for text, number in lines.without_newlines():
                try:
                    rows += self._decoded(name, [text])
                    numbers.append(number)
                except _NOT_AN_EVENT as error:
                    self.reject(number, _reason(error), text)
        if not rows:
            return
        self.counts[name] += len(rows)
        if name not in self.others:
            self.others[name] = Typed(TYPES[name])
        self.others[name].extend(rows, numbers)

    def _is_left_out(self, name: str, count: int) -> bool:
        """Whether lines of a decoded type are not read; they are counted then."""
        if name in self.types and count:
            return False
        if count:
            self.counts[name] += count
        return True

    def _decoded(self, name: str, texts: Sequence[bytes]) -> list[Any]:
        rows = list(map(_DECODERS[name], texts))
        if name == TASK_START:
            self._require_past([row.TaskInfo.LaunchTime or 0 for row in rows])
        else:
            self._require_past([row.eventTimeMS or 0 for row in rows])
        return rows

    def _require_past(self, times: Sequence[int]) -> None:
        """Take note of the events' times, 0 where one tells none.

        Raises:
            _TooLateError: One of them lies in the future; none is noted then.
        """
        if not times:
            return
        first, last = min(times), max(times)
        if last > self.latest_ms:
            raise _TooLateError
        if first <= 0:
            self.is_dated = False
            return
        self.first_ms = min(first, self.first_ms or first)
        self.last_ms = max(last, self.last_ms or last)

    def _add_by_content(self, lines: Lines) -> None:
        """Add lines whose beginning names no decoded type: another type, or other spelling."""
        for text, number in lines.without_newlines():
            try:
                name: str = _decode_any(text).Event
            except _NOT_AN_EVENT as error:
                self.reject(number, _reason(error), text)
                continue
            if name == TASK_END and TASK_END in self.types:
                self._add_task_end(text, number)
            elif name in TYPES:
                self._add_others(name, Lines([text], [number]))
            else:
                self._count(name[:_LONGEST_TYPE_NAME])

    def reject(self, number: int, reason: str, text: bytes) -> None:
        """Count a line that is no event, and keep its beginning."""
        self.bad_count += 1
        if len(self.bad) < MOST_BAD_LINES:
            self.bad.append(BadLine(number, reason, text[:HEAD_BYTES]))

    def _count(self, name: str) -> None:
        is_counted = name in self.counts or len(self.counts) < _MOST_TYPE_NAMES
        self.counts[name if is_counted else _FURTHER_TYPES] += 1


def _ends_of(rows: Sequence[task_events.TaskEnd]) -> Sequence[int]:
    """When tasks ended: their finish, else after their run."""
    finishes = list(map(_finish_of, rows))
    if None in finishes or 0 in finishes:
        return [row.TaskInfo.FinishTime or row.end_of_run_ms for row in rows]
    return cast("list[int]", finishes)


def _reason(error: Exception) -> str:
    match error:
        case _TooLateError():
            return IN_FUTURE
        case RecursionError():
            return "nested too deeply"
        case _:
            return f"no event: {error}"
