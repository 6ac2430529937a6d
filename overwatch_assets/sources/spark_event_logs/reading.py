"""One event log, read once from beginning to end in bounded memory."""

import gc
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

import polars as pl

from overwatch_assets.errors import SourceError
from overwatch_assets.sources.compression import UnreadableContent
from overwatch_assets.sources.paths import FileGone
from overwatch_assets.sources.spark_event_logs.decoding import (
    ALL_TYPES,
    APPLICATION_START,
    LINE,
    MOST_BAD_LINES,
    TYPES,
    BlockLines,
    Decoded,
)
from overwatch_assets.sources.spark_event_logs.layout import LogPath
from overwatch_assets.sources.spark_event_logs.lines import Block, LongLine, blocks_of
from overwatch_assets.sources.spark_event_logs.records import (
    TIME,
    context_of,
    frames_by_type,
    with_file,
)
from overwatch_assets.sources.spark_event_logs.timeline import DatedLine, Timeline

BATCH_BYTES = 32 << 20
"""Bytes of lines made into frames at once: about 20,000 events."""

ROWS_TAKEN = 1 << 16
"""Events handed over at once, of all types."""

BEFORE_FIRST_DAY = "before_first_day"

MOST_SHARED_ROWS = 2000
"""Events of a log that may be made into columns together with those of others."""

TakeEvents = Callable[[str, pl.DataFrame], None]
"""What is done with events of one type that have everything but their day."""

ShareEvents = Callable[["LogSummary", Decoded], None]
"""What is done with all events of a small log, of which each tells its time."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Which events are wanted, epoch ms.

    Attributes:
        first_ms: Events before it are counted, not kept.
        latest_ms: Events after it are rejected.
        skip_from_ms: A log whose first events are all not before it is not read.
        types: Of the decoded ones; events of the others are counted and not read.
    """

    first_ms: int
    latest_ms: int
    skip_from_ms: int | None = None
    types: Collection[str] = ALL_TYPES


@dataclass(slots=True)
class LogSummary:
    """What was found in a log.

    Attributes:
        context_id: Its Spark context.
        is_skipped: Its first event is too late to be of interest; nothing was read of it.
        is_complete: It was read to its end.
        reason: Why it wasn't, or can't be read at all; None where it was.
        is_unreadable: Reading it again would find the same.
        lines: Lines read, blank ones included.
        rejected: Lines that are no events.
        tail_bytes: Bytes of a last line without newline that is no event yet.
        event_counts: Events by type, those included that are not kept.
        first_ms: Earliest event, epoch ms; None without one.
        last_ms: Latest event, epoch ms; None without one.
        left_out: Events of the kept types that were not kept, by reason.
        bad_lines: The rejected lines, up to `MOST_BAD_LINES`.
    """

    context_id: str
    is_skipped: bool = False
    is_complete: bool = True
    reason: str | None = None
    is_unreadable: bool = False
    lines: int = 0
    rejected: int = 0
    tail_bytes: int = 0
    event_counts: Counter[str] = field(default_factory=Counter[str])
    first_ms: int | None = None
    last_ms: int | None = None
    left_out: Counter[str] = field(default_factory=Counter[str])
    bad_lines: list[DatedLine] = field(default_factory=list[DatedLine])

    @property
    def not_decoded(self) -> int:
        """Events of types that no table uses."""
        return sum(events for name, events in self.event_counts.items() if name not in TYPES)


def read_log(
    log: LogPath,
    chunks: Iterator[bytes],
    limits: Limits,
    take: TakeEvents,
    *,
    batch_bytes: int = BATCH_BYTES,
    share: ShareEvents | None = None,
) -> LogSummary:
    """Read a log.

    Args:
        log: The file.
        chunks: Its content, decompressed.
        limits: Which events are wanted.
        take: Called with events of one type, several times per type.
        batch_bytes: Bytes of lines made into frames at once.
        share: Called once, in the place of `take`, with the events of a small log in which there
            is nothing to date, to reject or to leave out. None: such a log is as any other.

    Raises:
        FileGone: The file isn't there any more.
    """
    reader = _Reader(log, limits, take, batch_bytes, share)
    with _without_cycle_search():
        return reader.read_all(chunks)


@contextmanager
def _without_cycle_search() -> Generator[None]:
    """Nothing that is decoded refers to itself; the search for it takes a tenth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Reader:
    def __init__(
        self,
        log: LogPath,
        limits: Limits,
        take: TakeEvents,
        batch_bytes: int,
        share: ShareEvents | None,
    ) -> None:
        self.summary = LogSummary(context_id=log.context_id)
        self._log = log
        self._limits = limits
        self._take = take
        self._batch_bytes = batch_bytes
        self._share = share
        self._timeline = Timeline()
        self._is_head = True
        self._kept: dict[str, list[pl.DataFrame]] = {}
        self._kept_rows = 0
        self._start_batch()

    def read_all(self, chunks: Iterator[bytes]) -> LogSummary:
        """Read the log as far as it can be read."""
        summary = self.summary
        try:
            for part in blocks_of(chunks):
                self.read(part)
                if summary.is_skipped:
                    return summary
        except FileGone:
            raise
        except SourceError as error:
            summary.is_complete = False
            summary.is_unreadable = isinstance(error, UnreadableContent)
            summary.reason = str(error)
        self.finish()
        return summary

    def read(self, part: Block | LongLine) -> None:
        """Read the next lines."""
        number = self.summary.lines + 1
        if isinstance(part, LongLine):
            self.summary.lines += 1
            self._decoded.reject(number, "line too long", part.head)
            return
        lines = BlockLines(part, number)
        self._bytes += part.end - part.begin
        if part.is_tail:
            self._read_tail(lines)
        else:
            self.summary.lines += self._decoded.add(lines)
        if self._bytes >= self._batch_bytes or (self._is_head and not self._may_be_shared()):
            self._end_batch()

    def finish(self) -> None:
        """Take what is left at the file's end."""
        summary = self.summary
        if self._is_head and self._may_be_shared():
            self._share_all()
        elif not summary.is_skipped:
            self._end_batch()
            self._hand_over()
        self._keep_bad_lines(self._timeline.waiting_lines())
        summary.left_out += self._timeline.counts

    def _start_batch(self) -> None:
        limits = self._limits
        self._decoded = Decoded(limits.latest_ms, limits.types, counts=self.summary.event_counts)
        self._bytes = 0

    def _read_tail(self, lines: BlockLines) -> None:
        """Read a last line without newline: an event, or one that is still being written."""
        alone = Decoded(self._limits.latest_ms, self._limits.types)
        alone.add(lines)
        if alone.bad_count:
            self.summary.tail_bytes = len(lines.block.text)
        else:
            self.summary.lines += self._decoded.add(lines)

    def _may_be_shared(self) -> bool:
        """Whether nothing yet tells that the log needs frames of its own."""
        decoded, limits = self._decoded, self._limits
        first, rows = decoded.first_ms, decoded.rows
        return (
            self._share is not None
            and decoded.is_dated
            and not decoded.bad_count
            and rows is not None
            and rows <= MOST_SHARED_ROWS
            and (first is None or first >= limits.first_ms)
            and not (first is not None and limits.skip_from_ms and first >= limits.skip_from_ms)
        )

    def _share_all(self) -> None:
        decoded, summary = self._decoded, self.summary
        self._tell_context()
        summary.first_ms, summary.last_ms = decoded.first_ms, decoded.last_ms
        if self._share is not None and decoded.rows:
            self._share(summary, decoded)

    def _end_batch(self) -> None:
        decoded, summary = self._decoded, self.summary
        if self._is_head:
            self._tell_context()
        frames = frames_by_type(decoded)
        dated, lines = self._timeline.dated(frames, decoded.bad)
        if self._is_head:
            self._is_head = False
            if self._begins_too_late(dated):
                summary.is_skipped = True
                return
        summary.rejected += decoded.bad_count
        self._keep_bad_lines(lines)
        for name, events in dated:
            self._keep(name, events)
        self._start_batch()

    def _begins_too_late(self, head: Sequence[tuple[str, pl.DataFrame]]) -> bool:
        """Whether all events at the head of the file are too late; one alone may be misdated."""
        limit = self._limits.skip_from_ms
        earliest = [cast("int", events[TIME].min()) for _, events in head if events.height]
        return limit is not None and bool(earliest) and min(earliest) >= limit

    def _tell_context(self) -> None:
        starts = self._decoded.others.get(APPLICATION_START)
        if self._log.is_told_by_content and starts is not None:
            self.summary.context_id = context_of(starts.rows) or self.summary.context_id

    def _keep(self, name: str, events: pl.DataFrame) -> None:
        summary, first_ms = self.summary, self._limits.first_ms
        if events.is_empty():
            return
        first, last = cast("int", events[TIME].min()), cast("int", events[TIME].max())
        summary.first_ms = min(first, summary.first_ms or first)
        summary.last_ms = max(last, summary.last_ms or last)
        kept = events
        if first < first_ms:
            kept = events.filter(pl.col(TIME) >= first_ms)
            summary.left_out[BEFORE_FIRST_DAY] += events.height - kept.height
        self._kept.setdefault(name, []).append(kept)
        self._kept_rows += kept.height
        if self._kept_rows >= ROWS_TAKEN:
            self._hand_over()

    def _hand_over(self) -> None:
        for name, frames in self._kept.items():
            events = pl.concat(frames).drop(LINE)
            if events.height:
                self._take(name, with_file(events, self._log, self.summary.context_id))
        self._kept, self._kept_rows = {}, 0

    def _keep_bad_lines(self, lines: Sequence[DatedLine]) -> None:
        self.summary.bad_lines += lines[: MOST_BAD_LINES - len(self.summary.bad_lines)]
