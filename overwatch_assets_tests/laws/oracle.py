"""What the silver tables must hold for a world: the rules again, event by event, without days.

Written in plain Python over the events of the whole world in order of time, so that it shares
nothing with the transforms: no carried rows, no windows, no frames.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import cast

from overwatch_assets_tests.laws.spark_world import END, HOUR, SQL, Row

Closed = tuple[tuple[object, ...], int, str, date]
"""Key, end, reason and day of a closed row."""


@dataclass(frozen=True)
class Context:
    """What becomes of a Spark context.

    Attributes:
        closed_ms: Instant it closes; None: open when the world ends.
        end_ms: Its end.
        reason: What revealed the end.
    """

    events: list[Row]
    closed_ms: int | None
    end_ms: int
    reason: str


@dataclass(frozen=True)
class Entity:
    """How a table's rows begin and end."""

    start: str
    end: str
    key: Callable[[Row], tuple[object, ...]]
    has_own_start: bool = False
    is_added_again: bool = False


def _task(row: Row) -> tuple[object, ...]:
    task = cast("Mapping[str, object]", row["TaskInfo"])
    stage = (row["StageID"], row["StageAttemptID"])
    return (*stage, task["TaskID"], task["Attempt"], task["ExecutorID"])


ENTITIES = {
    "spark_jobs_silver": Entity(
        "SparkListenerJobStart", "SparkListenerJobEnd", lambda row: (row["JobID"],)
    ),
    "spark_executions_silver": Entity(
        f"{SQL}Start", f"{SQL}End", lambda row: (row["executionId"],)
    ),
    "spark_stages_silver": Entity(
        "SparkListenerStageSubmitted",
        "SparkListenerStageCompleted",
        lambda row: (row["StageID"], row["StageAttemptID"]),
        has_own_start=True,
    ),
    "spark_tasks_silver": Entity(
        "SparkListenerTaskStart", "SparkListenerTaskEnd", _task, has_own_start=True
    ),
}


def closed_rows(rows: Iterable[Row], table: str) -> set[Closed]:
    """Closed rows of a table when the whole world is loaded."""
    contexts = contexts_of(rows)
    if table == "spark_applications_silver":
        return {
            ((ctx,), context.end_ms, context.reason, day_of(context.closed_ms))
            for ctx, context in contexts.items()
            if context.closed_ms is not None
        }
    entity = ENTITIES[table]
    closed: set[Closed] = set()
    for ctx, context in contexts.items():
        starts: dict[tuple[object, ...], int] = {}
        ends: dict[tuple[object, ...], int] = {}
        for row in context.events:
            at = instant(row)
            if context.closed_ms is not None and at >= context.closed_ms:
                continue
            if row["Event"] == entity.start:
                starts.setdefault(entity.key(row), at)
            elif row["Event"] == entity.end:
                ends.setdefault(entity.key(row), at)
        for key, at in ends.items():
            known = key in starts or entity.has_own_start
            reason = "event" if known else "start_missing"
            closed.add(((ctx, *key), at, reason, day_of(at)))
        for key, at in starts.items():
            if key not in ends and context.closed_ms is not None:
                end = max(at, context.end_ms)
                closed.add(((ctx, *key), end, context.reason, day_of(context.closed_ms)))
    return closed


def contexts_of(rows: Iterable[Row]) -> dict[str, Context]:
    """Every context and its end; the world must name the cluster on every event."""
    events: dict[str, list[Row]] = {}
    for row in sorted(rows, key=instant):
        events.setdefault(str(row["SparkContextID"]), []).append(row)
    firsts = {ctx: instant(of[0]) for ctx, of in events.items()}
    return {ctx: _context(ctx, events, firsts) for ctx in events}


def _context(ctx: str, events: Mapping[str, list[Row]], firsts: Mapping[str, int]) -> Context:
    own = events[ctx]
    told = [instant(row) for row in own if row["Event"] == "SparkListenerApplicationEnd"]
    cluster = own[0]["clusterId"]
    later = [
        first
        for other, first in firsts.items()
        if cluster is not None and events[other][0]["clusterId"] == cluster and first > firsts[ctx]
    ]
    revealed = [(at, "application_end") for at in told[:1]] + [(at, "replaced") for at in later]
    if not revealed:
        return Context(own, None, 0, "")
    at, reason = min(revealed)
    closes = at + HOUR
    last = firsts[ctx]
    for row in own:
        if at <= instant(row) < closes:
            closes = instant(row) + HOUR
        if instant(row) < closes:
            last = instant(row)
    end = at if reason == "application_end" else last
    return Context(own, closes if closes < END else None, end, reason)


def instant(row: Row) -> int:
    """When an event happened, epoch ms."""
    at = row["eventTimeMS"]
    assert isinstance(at, int)
    return at


def day_of(instant_ms: int | None) -> date:
    """The day of an instant."""
    assert instant_ms is not None
    return datetime.fromtimestamp(instant_ms / 1000, UTC).date()
