"""Cluster events, asked cluster by cluster: each once over all days of a run.

A cluster that can't be asked never stops the others: what was told before the failure is kept,
the failure is recorded, and the days that are owed are asked for again in later runs. Only when
nothing could be had of any cluster, the API itself is out of order.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial

import polars as pl

from overwatch_assets.errors import SourceError
from overwatch_assets.module import TIMESTAMP, Window
from overwatch_assets.sources.canonical_json import compact_text
from overwatch_assets.sources.gathering import Gathered, Request
from overwatch_assets.sources.rest_api.answers import list_of, number_of, object_of, text_of
from overwatch_assets.sources.rest_api.api import Api, ApiError, ApiRefused, Json, Query
from overwatch_assets.sources.rest_api.cluster_days import CLUSTER_DAYS
from overwatch_assets.sources.rest_api.cluster_event_fetches import (
    ONE_DAY,
    Ask,
    Fetch,
    KnownFetches,
    Status,
    Told,
    fetch_rows,
    fetches_of,
    said,
)
from overwatch_assets.sources.rest_api.day_rows import DayRows
from overwatch_assets.sources.rest_api.fan_out import fan_out
from overwatch_assets.sources.rest_api.paging import pages
from overwatch_assets.sources.rest_api.rejected_objects import RejectedObjects

PATH = "/api/2.1/clusters/events"
PAGE_SIZE = 500
CLUSTERS_AT_ONCE = 200
"""Clusters whose answers are held at the same time."""

SURELY_DOWN = 8
"""Clusters of which nothing could be had before the API is taken to be out of order."""

_UNKNOWN_IDENTITY = 401


@dataclass(frozen=True, slots=True)
class ClusterEvents:
    """The cluster events of one workspace.

    Attributes:
        api: The workspace's API.
        table: For whom; rejected objects are kept under this name.
        threads: Clusters that are asked at the same time.
    """

    api: Api
    table: str
    threads: int

    def gather(self, request: Request) -> Gathered:
        """Ask for the events of the clusters of the days.

        Raises:
            SourceError: The API does not accept the identity, or answered nobody.
        """
        known = KnownFetches(request.known)
        asks = _owed_asks(request, known) if request.is_retry else _asks(request, known)
        gathering = _Gathering(self.table, request, known, asks)
        down: ApiError | None = None
        for start in range(0, len(asks), CLUSTERS_AT_ONCE):
            batch = asks[start : start + CLUSTERS_AT_ONCE]
            answers = self._answers(batch) if down is None else _failing(batch, down)
            for answer in answers:
                gathering.take(answer)
            gathering.require_answers()
            down = down or _down_after(answers)
        return gathering.gathered()

    def _answers(self, asks: Sequence[Ask]) -> "list[_Answer]":
        told = fan_out(self._answer, asks, threads=self.threads)
        return [
            _Answer(ask, failure=each) if isinstance(each, ApiError) else each
            for ask, each in zip(asks, told, strict=True)
        ]

    def _answer(self, ask: Ask) -> "_Answer":
        """What the API tells of one cluster, as far as it can be had.

        Raises:
            ApiError: Nothing can be had.
        """
        answer = _Answer(ask)
        try:
            for page in self._pages(ask, answer):
                answer.add(page)
        except ApiError as error:
            if not answer.events:
                raise
            answer.failure = error
        return answer

    def _pages(self, ask: Ask, answer: "_Answer") -> Iterator[Json]:
        since_ms = ask.since_ms
        while True:
            try:
                yield from pages(
                    partial(self.api.post, PATH),
                    _body(ask, since_ms),
                    what=f"{PATH} of cluster {ask.cluster_id}",
                )
            except ApiRefused as refusal:
                # Tokens expire. Asked from the last event on, that one is told twice.
                has_more = answer.is_ascending and answer.last_ms > since_ms
                if refusal.is_missing or not has_more:
                    raise
                since_ms = answer.last_ms
            else:
                return


@dataclass(slots=True)
class _Answer:
    """The events told of one cluster, as they came.

    Attributes:
        last_ms: Epoch ms of the latest event.
        is_ascending: No event came after a later one.
        failure: Why there are no more.
    """

    ask: Ask
    events: list[object] = field(default_factory=list[object])
    last_ms: int = 0
    is_ascending: bool = True
    failure: ApiError | None = None

    @property
    def is_missing(self) -> bool:
        """Whether the cluster does not exist."""
        return isinstance(self.failure, ApiRefused) and self.failure.is_missing

    def add(self, page: Json) -> None:
        """Take the events of a page.

        Raises:
            ApiError: It is no page of events.
        """
        for event in list_of(page, "events", PATH):
            at_ms = _instant(event)
            if at_ms is not None:
                self.is_ascending &= at_ms >= self.last_ms
                self.last_ms = max(self.last_ms, at_ms)
            self.events.append(event)


def _failing(asks: Sequence[Ask], failure: ApiError) -> list[_Answer]:
    return [_Answer(ask, failure=failure) for ask in asks]


def _down_after(answers: Sequence[_Answer]) -> ApiError | None:
    """Why nobody else need be asked: no answer came to the last questions; None: one did."""
    last = [answer.failure for answer in answers[-SURELY_DOWN:] if not answer.events]
    is_down = all(each is not None and not isinstance(each, ApiRefused) for each in last)
    return last[-1] if is_down and len(last) == SURELY_DOWN else None


class _Gathering:
    """Takes answers, in any order, and makes of them what the loading of days is given."""

    def __init__(
        self, table: str, request: Request, known: KnownFetches, asks: Sequence[Ask]
    ) -> None:
        self._request = request
        self._begins = [each.window.since_ms for each in request.days]
        self._is_silent = not asks and not request.is_retry
        clusters = [ask.cluster_id for ask in asks]
        first, last = request.days[0].day, request.days[-1].day
        self._known = known.of_days(first, last, clusters)
        self._before = known.newest_before(first, clusters)
        self._rows = DayRows.of(request)
        self._rejected = RejectedObjects(table, f"POST {PATH}")
        self._fetches: list[Fetch] = []
        self._errors: dict[date, list[tuple[object, ...]]] = {}
        self._failures: list[str] = []
        self._answered = 0
        self._counts = Counter[str]()

    def take(self, answer: _Answer) -> None:
        """Take what was told of one cluster.

        Raises:
            ApiRefused: The API does not accept the identity, of whatever cluster.
        """
        if isinstance(answer.failure, ApiRefused) and answer.failure.status == _UNKNOWN_IDENTITY:
            raise answer.failure
        ask = answer.ask
        fetches = fetches_of(
            ask,
            self._told(answer),
            self._request.days,
            known=self._known,
            before=self._before.get(ask.cluster_id),
            now_ms=self._request.now_ms,
        )
        self._fetches += fetches
        self._answered += bool(answer.events) or answer.failure is None or answer.is_missing
        if answer.failure is not None:
            self._take_failure(answer, answer.failure, fetches)

    def require_answers(self) -> None:
        """Refuse to go on when nothing could be had of any cluster.

        Raises:
            SourceError: The API is out of order, or the identity may not see any cluster.
        """
        if self._answered or len(self._failures) < SURELY_DOWN:
            return
        message = (
            f"workspace {self._request.organization_id}: the events of none of "
            f"{len(self._failures)} clusters could be fetched, so no more were asked and nothing "
            f"was written. The last: {self._failures[-1]}"
        )
        raise SourceError(message)

    def gathered(self) -> Gathered:
        """Everything taken."""
        reason = "no audit event, no capture and no event of the day before names a cluster to ask"
        return Gathered(
            rows=self._rows.by_day(),
            rejected=self._rejected.by_day(),
            processed=fetch_rows(self._fetches),
            counts={**self._counts, **self._rows.counts(), **self._rejected.counts()},
            failures=self._failures,
            errors={day: _error_rows(rows) for day, rows in sorted(self._errors.items())},
            reasons={each.day: reason for each in self._request.days if self._is_silent},
        )

    def _told(self, answer: _Answer) -> Told:
        """Keep the events of the days, and tell of which days there were any."""
        told = Told(answer.failure, answer.last_ms if answer.is_ascending else 0)
        day_before = self._request.days[0].day - ONE_DAY
        last_day = self._request.days[0].day
        for event in answer.events:
            instant, event_type = _instant(event), _type(event)
            if instant is None or event_type is None:
                self._rejected.take(last_day, _why_no_event(event), event)
                continue
            number = bisect_right(self._begins, instant) - 1
            if number < 0 and answer.ask.since_ms <= instant:
                told.add(day_before, instant, event_type)
            elif number < 0 or instant >= self._request.days[number].window.until_ms:
                self._counts["events_of_other_days"] += 1
            else:
                last_day = self._request.days[number].day
                told.add(last_day, instant, event_type)
                self._rows.take(last_day, _row(event, answer.ask.cluster_id, instant))
        return told

    def _take_failure(self, answer: _Answer, failure: ApiError, fetches: Sequence[Fetch]) -> None:
        """Record a failure in the day from which on something is not there."""
        ask = answer.ask
        failed = [each.partition_date for each in fetches if each.error is not None]
        if answer.is_missing and not failed:
            return
        status = Status.MISSING if answer.is_missing else Status.FAILED
        self._counts[f"clusters_{status}"] += 1
        epochs = (ask.since_ms, ask.until_ms)
        row = (ask.cluster_id, *epochs, *epochs, said(failure))
        day = failed[0] if failed else max(min(ask.days), self._request.days[0].day)
        self._errors.setdefault(day, []).append(row)
        if not answer.is_missing:
            self._failures.append(f"cluster {ask.cluster_id}: {failure}")


def _asks(request: Request, known: KnownFetches) -> list[Ask]:
    """The clusters of the days; each is asked once, from its first day on."""
    first = request.days[0]
    days: dict[str, dict[date, bool]] = {}
    for cluster_id, day, is_sign in _coverage(request).iter_rows():
        days.setdefault(cluster_id, {})[day] = is_sign
    before = known.day_before(first.day)
    for cluster_id, fetch in before.items():
        if fetch.goes_on(first.day):
            days.setdefault(cluster_id, {}).setdefault(first.day, False)
    since_ms = {each.day: each.window.since_ms for each in request.days}
    begin_of_day_before_ms = _begin_of_day_before_ms(request, first.window)
    until_ms = request.days[-1].window.until_ms
    forgotten = known.forgotten(request.now_ms)
    asks: list[Ask] = []
    for cluster_id in days.keys() - known.missing():
        of_cluster = days[cluster_id]
        if cluster_id in forgotten and max(of_cluster) <= forgotten[cluster_id]:
            continue
        begin_ms = since_ms[min(of_cluster)]
        if first.day in of_cluster and cluster_id not in before:
            begin_ms = begin_of_day_before_ms
        asks.append(Ask(cluster_id, begin_ms, until_ms, of_cluster))
    return sorted(asks, key=lambda ask: (ask.since_ms, ask.cluster_id))


def _owed_asks(request: Request, known: KnownFetches) -> list[Ask]:
    """The clusters whose events of some of the days are owed, from the oldest such day on."""
    windows = {each.day: each.window for each in request.days}
    days: dict[str, set[date]] = {}
    for cluster_id, day in known.owed(_coverage(request), request.now_ms):
        if day in windows:
            days.setdefault(cluster_id, set()).add(day)
    asked_before = known.of_days(min(windows) - ONE_DAY, max(windows), days)
    asks: list[Ask] = []
    for cluster_id, owed_days in sorted(days.items()):
        of_cluster = owed_days
        begin_ms = windows[min(of_cluster)].since_ms
        day_before = min(of_cluster) - ONE_DAY
        if (cluster_id, day_before) not in asked_before:
            of_cluster = owed_days | ({day_before} & windows.keys())
            begin_ms = _begin_of_day_before_ms(request, windows[min(of_cluster)])
        until_ms = windows[max(of_cluster)].until_ms
        is_sign = dict.fromkeys(of_cluster, True)
        asks.append(Ask(cluster_id, begin_ms, until_ms, is_sign, is_owed=True))
    return asks


def _coverage(request: Request) -> pl.DataFrame:
    if request.coverage.is_empty():
        return CLUSTER_DAYS.to_frame()
    return request.coverage.select(CLUSTER_DAYS.names())


def _begin_of_day_before_ms(request: Request, window: Window) -> int:
    """Begin of the day before a day, or of the day where there is no day before.

    A cluster that nobody asked then is asked from there on: its first events may lie before
    the midnight after which the audit log tells of it.
    """
    begin = window.since.astimezone(request.zone) - ONE_DAY
    return max(round(begin.timestamp() * 1000), request.first_ms)


def _body(ask: Ask, since_ms: int) -> Query:
    return {
        "cluster_id": ask.cluster_id,
        "start_time": since_ms,
        "end_time": ask.until_ms,
        "order": "ASC",
        "page_size": PAGE_SIZE,
    }


def _instant(event: object) -> int | None:
    """When an event happened, epoch ms; None: it does not say."""
    told = (object_of(event) or {}).get("timestamp")
    if isinstance(told, str) and re.fullmatch(r"[0-9]{1,18}", told):
        return int(told)
    return number_of(told)


def _type(event: object) -> str | None:
    return text_of((object_of(event) or {}).get("type"))


def _why_no_event(event: object) -> str:
    if object_of(event) is None:
        return "not an object"
    return "no timestamp" if _instant(event) is None else "no type"


def _row(event: object, cluster_id: str, at_ms: int) -> Json:
    """An event as it is stored; its scripts are text, whatever they are made of."""
    told = object_of(event) or {}
    named = text_of(told.get("cluster_id")) or cluster_id
    row = {**told, "cluster_id": named, "timestamp": at_ms}
    details = object_of(told.get("details"))
    if details is not None:
        scripts = compact_text(details.get("init_scripts"))
        row["details"] = {**details, "init_scripts": scripts}
    return row


def _error_rows(rows: Sequence[tuple[object, ...]]) -> pl.DataFrame:
    epochs = ("from_epoch", "until_epoch", "from_ts", "until_ts")
    schema = {"cluster_id": pl.String, **dict.fromkeys(epochs, pl.Int64), "error": pl.String}
    instants = [
        pl.from_epoch(name, time_unit="ms").cast(TIMESTAMP) for name in ("from_ts", "until_ts")
    ]
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(instants)
