"""What is remembered of asking for clusters' events: of which day, with what success.

A record decides whether a cluster is asked again: the day after while it may run, and the same
day while the answer is owed. Losing records costs time; events that were stored stay stored.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from datetime import date, timedelta
from enum import StrEnum

import polars as pl

from overwatch_assets.module import DayWindow
from overwatch_assets.sources.rest_api.api import ApiError, ApiRefused
from overwatch_assets.sources.rest_api.cluster_days import SIGN_LASTS

STOPPED = "TERMINATING"
ONE_DAY = timedelta(days=1)

RETRY_AFTER_MS = 20 * 3_600_000
"""Until a failed fetch is due again: the next daily run, even if it begins a bit early."""

RETRIED_MS = 30 * 86_400_000
"""How long a failed fetch is tried again; the API forgets a stopped cluster then."""


REMEMBERED_MS = 32 * 86_400_000
"""For how long after its end the API surely knows a cluster no longer: 30 days and some."""


class Status(StrEnum):
    """What came of asking for a cluster's events of a day."""

    OK = "ok"
    FAILED = "failed"
    MISSING = "missing"
    """The cluster does not exist (any more): final."""
    LATE = "late"
    """The day after found events of a day that nobody had asked for; they are not stored."""


UNRESOLVED = (Status.FAILED, Status.LATE)


@dataclass(frozen=True, slots=True)
class Fetch:
    """One cluster, one day; the fields are the columns, in order."""

    partition_date: date
    cluster_id: str
    status: Status
    events: int
    last_type: str | None
    last_event_ms: int | None
    sign_day: date | None
    attempts: int
    first_failed_ms: int | None
    due_ms: int | None
    fetched_ms: int
    error: str | None

    def goes_on(self, day: date) -> bool:
        """Whether the cluster may still have events on a later day."""
        if self.status is Status.MISSING or self.sign_day is None:
            return False
        may_run = self.status is not Status.OK or self.last_type != STOPPED
        just_ended = self.events > 0 and day - self.partition_date == ONE_DAY
        return day - self.sign_day <= SIGN_LASTS and (may_run or just_ended)


FETCHES = pl.Schema(
    {
        "partition_date": pl.Date,
        "cluster_id": pl.String,
        "status": pl.String,
        "events": pl.Int64,
        "last_type": pl.String,
        "last_event_ms": pl.Int64,
        "sign_day": pl.Date,
        "attempts": pl.Int64,
        "first_failed_ms": pl.Int64,
        "due_ms": pl.Int64,
        "fetched_ms": pl.Int64,
        "error": pl.String,
    }
)


class KnownFetches:
    """The records of one workspace."""

    def __init__(self, rows: pl.DataFrame) -> None:
        """Keep the newest record of each cluster and day."""
        self._rows = (
            FETCHES.to_frame()
            if rows.is_empty()
            else rows.select(FETCHES.names()).unique(
                ["cluster_id", "partition_date"], keep="last", maintain_order=True
            )
        )

    def owed(self, asked: pl.DataFrame, now_ms: int) -> Iterator[tuple[str, date]]:
        """Clusters and days whose events are owed; see `owed`."""
        yield from owed(self._rows.lazy(), asked.lazy(), now_ms).collect().iter_rows()

    def missing(self) -> set[str]:
        """Clusters that do not exist any more, as the API said."""
        return set(self._rows.filter(pl.col("status") == Status.MISSING)["cluster_id"])

    def forgotten(self, now_ms: int) -> Mapping[str, date]:
        """Clusters that ended too long ago for the API to know, with their newest record's day."""
        has_ended = (pl.col("status") == Status.OK) & (pl.col("last_type") == STOPPED)
        return dict(
            self._rows.sort("partition_date")
            .unique("cluster_id", keep="last", maintain_order=True)
            .filter(has_ended, pl.col("last_event_ms") < now_ms - REMEMBERED_MS)
            .select("cluster_id", "partition_date")
            .iter_rows()
        )

    def day_before(self, day: date) -> dict[str, Fetch]:
        """The records of the day before a day."""
        before = self._rows.filter(pl.col("partition_date") == day - ONE_DAY)
        return {each.cluster_id: each for each in self._fetches(before)}

    def newest_before(self, day: date, clusters: Iterable[str]) -> dict[str, Fetch]:
        """The newest record before a day of each of the clusters that has one."""
        newest = (
            self._rows.lazy()
            .filter(pl.col("partition_date") < day)
            .join(_named(clusters), on="cluster_id", how="semi")
            .sort("partition_date")
            .unique("cluster_id", keep="last", maintain_order=True)
            .collect()
        )
        return {each.cluster_id: each for each in self._fetches(newest)}

    def of_days(
        self, first: date, last: date, clusters: Iterable[str]
    ) -> dict[tuple[str, date], Fetch]:
        """The clusters' records of days, both included."""
        found = (
            self._rows.lazy()
            .filter(pl.col("partition_date").is_between(first, last))
            .join(_named(clusters), on="cluster_id", how="semi")
            .collect()
        )
        return {(each.cluster_id, each.partition_date): each for each in self._fetches(found)}

    def _fetches(self, rows: pl.DataFrame) -> list[Fetch]:
        return [Fetch(row[0], row[1], Status(row[2]), *row[3:]) for row in rows.iter_rows()]


def owed(rows: pl.LazyFrame, asked: pl.LazyFrame, now_ms: int) -> pl.LazyFrame:
    """Clusters and days whose events are owed: `cluster_id`, `day`.

    Those whose fetch failed and is due again, and those whose day tells of them although
    nobody asked: their audit events came late.

    Args:
        rows: Records of one workspace.
        asked: What `clusters_by_day` says of the days in question.
        now_ms: The present.
    """
    fetched = rows.select(
        "cluster_id", day="partition_date", status="status", due_ms="due_ms"
    ).unique(["cluster_id", "day"], keep="last", maintain_order=True)
    is_due = pl.col("status").is_in(UNRESOLVED) & (pl.col("due_ms") <= now_ms)
    return pl.concat(
        [
            fetched.filter(is_due).select("cluster_id", "day"),
            asked.filter("is_sign")
            .select("cluster_id", "day")
            .join(fetched, on=["cluster_id", "day"], how="anti"),
        ]
    ).join(rows.filter(pl.col("status") == Status.MISSING), on="cluster_id", how="anti")


@dataclass(slots=True)
class DayEvents:
    """A cluster's events of one day, as far as they were told."""

    events: int = 0
    last_ms: int = 0
    last_type: str = ""

    def add(self, at_ms: int, event_type: str) -> None:
        """Count an event; of several of one instant the one that stops the cluster is the last."""
        self.events += 1
        newer = (at_ms, event_type == STOPPED, event_type)
        if newer > (self.last_ms, self.last_type == STOPPED, self.last_type):
            self.last_ms, self.last_type = at_ms, event_type


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of one cluster.

    Attributes:
        since_ms: Begin of the window asked for.
        until_ms: Its end.
        days: Days that are known to concern it, and whether they tell of it themselves.
        is_owed: Only these days are of interest; they are asked for again.
    """

    cluster_id: str
    since_ms: int
    until_ms: int
    days: Mapping[date, bool]
    is_owed: bool = False


@dataclass(slots=True)
class Told:
    """What the answer to an `Ask` told.

    Attributes:
        failure: Why it broke off; None: it was complete.
        known_until_ms: Up to when a broken answer is complete.
        days: Events by day.
    """

    failure: ApiError | None = None
    known_until_ms: int = 0
    days: dict[date, DayEvents] = field(default_factory=dict[date, DayEvents])

    def add(self, day: date, at_ms: int, event_type: str) -> None:
        """Count an event."""
        self.days.setdefault(day, DayEvents()).add(at_ms, event_type)

    @property
    def is_missing(self) -> bool:
        """Whether the cluster does not exist."""
        return isinstance(self.failure, ApiRefused) and self.failure.is_missing

    def is_complete(self, until_ms: int) -> bool:
        """Whether everything before an instant was told."""
        return self.failure is None or until_ms <= self.known_until_ms


def fetches_of(
    ask: Ask,
    told: Told,
    windows: Sequence[DayWindow],
    *,
    known: Mapping[tuple[str, date], Fetch],
    before: Fetch | None,
    now_ms: int,
) -> list[Fetch]:
    """The records of one cluster: a day follows on the day before while the cluster may run.

    Args:
        ask: What was asked.
        told: What came of it.
        windows: The days asked for.
        known: Earlier records of these days.
        before: The newest record before them.
        now_ms: The present.
    """
    made = _of_day_before(ask, told, windows[0].day - ONE_DAY, now_ms)
    previous = before
    for window in windows:
        day = window.day
        earlier = known.get((ask.cluster_id, day))
        follows = previous is not None and _follows(previous, day)
        if not (day in ask.days or (not ask.is_owed and (follows or day in told.days))):
            previous = earlier if ask.is_owed and earlier else previous
            continue
        fetch = _fetch(ask, told, window, earlier=earlier, previous=previous, now_ms=now_ms)
        if earlier is not None and _told_more(earlier, fetch, window):
            previous = earlier
            continue
        made.append(fetch)
        previous = fetch
    return made


def _of_day_before(ask: Ask, told: Told, day: date, now_ms: int) -> list[Fetch]:
    """A record that the day before the days asked for must be loaded again, if so."""
    seen = told.days.get(day)
    if seen is None:
        return []
    return [
        Fetch(
            partition_date=day,
            cluster_id=ask.cluster_id,
            status=Status.LATE,
            events=seen.events,
            last_type=seen.last_type,
            last_event_ms=seen.last_ms,
            sign_day=day,
            attempts=0,
            first_failed_ms=now_ms,
            due_ms=now_ms,
            fetched_ms=now_ms,
            error=None,
        )
    ]


def _fetch(
    ask: Ask,
    told: Told,
    window: DayWindow,
    *,
    earlier: Fetch | None,
    previous: Fetch | None,
    now_ms: int,
) -> Fetch:
    day = window.day
    seen = told.days.get(day)
    status = _status(told, window, now_ms)
    last_type = seen.last_type if seen else previous.last_type if previous else None
    last_event_ms = seen.last_ms if seen else previous.last_event_ms if previous else None
    owed_since = earlier.first_failed_ms if earlier and earlier.status in UNRESOLVED else None
    first_failed_ms = None if status is not Status.FAILED else owed_since or now_ms
    is_given_up = first_failed_ms is not None and now_ms - first_failed_ms > RETRIED_MS
    return Fetch(
        partition_date=day,
        cluster_id=ask.cluster_id,
        status=status,
        events=seen.events if seen else 0,
        # After a failure nobody knows what came last: the cluster may run.
        last_type=None if status is Status.FAILED else last_type,
        last_event_ms=last_event_ms,
        sign_day=_sign_day(ask, day, seen, previous),
        attempts=1 + (earlier.attempts if earlier else 0),
        first_failed_ms=first_failed_ms,
        due_ms=None if first_failed_ms is None or is_given_up else now_ms + RETRY_AFTER_MS,
        fetched_ms=now_ms,
        error=None if status is Status.OK else said(told.failure),
    )


def _status(told: Told, window: DayWindow, now_ms: int) -> Status:
    if told.is_complete(window.window.until_ms):
        return Status.OK
    # A cluster that is just being made may not be known to the API yet.
    is_over = window.window.until_ms < now_ms
    return Status.MISSING if told.is_missing and is_over else Status.FAILED


def _sign_day(ask: Ask, day: date, seen: DayEvents | None, previous: Fetch | None) -> date | None:
    if seen or ask.days.get(day):
        return day
    if previous is not None and previous.sign_day is not None:
        return previous.sign_day
    return day - ONE_DAY if day in ask.days else None


def _follows(previous: Fetch, day: date) -> bool:
    return day - previous.partition_date == ONE_DAY and previous.goes_on(day)


def _told_more(earlier: Fetch, fetch: Fetch, window: DayWindow) -> bool:
    """Whether the whole day was told before and less of it now: that takes nothing away."""
    was_whole = earlier.status is Status.OK and earlier.fetched_ms >= window.window.until_ms
    return was_whole and (fetch.status is not Status.OK or fetch.events < earlier.events)


def said(failure: ApiError | None) -> str | None:
    """A failure as the error table tells it: the API's own code and words where it has any."""
    if isinstance(failure, ApiRefused):
        return f"{failure.code} {failure.said}".strip()
    return None if failure is None else str(failure)


def fetch_rows(fetches: Iterable[Fetch]) -> pl.DataFrame:
    """Records as a frame of `FETCHES`."""
    return pl.DataFrame([astuple(each) for each in fetches], schema=FETCHES, orient="row")


def _named(clusters: Iterable[str]) -> pl.LazyFrame:
    return pl.LazyFrame({"cluster_id": list(clusters)}, schema={"cluster_id": pl.String})
