"""SQL queries: those that started on a day, and those that had not ended when it began.

The API lists queries by their start and shows them as they are now. So a query that runs over
midnight is asked for again by its id on each day that it lasts, or copied once its end is known.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import cast

import polars as pl

from overwatch_assets.module import PARTITION_DATE, DayWindow
from overwatch_assets.sources.gathering import Gathered, Request
from overwatch_assets.sources.rest_api.answers import number_of, object_of, text_of
from overwatch_assets.sources.rest_api.api import Api, ApiRefused, Json, Query
from overwatch_assets.sources.rest_api.day_rows import DayRows
from overwatch_assets.sources.rest_api.paging import listed
from overwatch_assets.sources.rest_api.queries_to_follow import (
    FOLLOWED_DAYS,
    QUERY_ENDED_MS,
    QUERY_KEY,
    goes_on,
)
from overwatch_assets.sources.rest_api.rejected_objects import RejectedObjects
from overwatch_assets.sources.rest_api.time_slices import TimeSlice, time_slices, told_of_slices

PATH = "/api/2.0/sql/history/queries"
PAGE_SIZE = 1000
SLICE_HOURS = 1
IDS_AT_ONCE = 50
"""Ids in one question: some 3 kB of address."""

DAY_MS = 86_400_000

_BAD_REQUEST = 400
_ENDS = ("query_end_time_ms", "execution_end_time_ms")


@dataclass(frozen=True, slots=True)
class SqlQueryHistory:
    """The query history of one workspace.

    Attributes:
        api: The workspace's API.
        table: For whom; rejected objects are kept under this name.
        threads: Parts of days that are asked for at the same time.
    """

    api: Api
    table: str
    threads: int

    def gather(self, request: Request) -> Gathered:
        """Ask for the queries of the days.

        Raises:
            ApiError: A part of the answer can't be had.
        """
        gathering = _Gathering(self.api, self.table, request)
        remembered_ms = request.now_ms - FOLLOWED_DAYS * DAY_MS
        asked = [each for each in request.days if each.window.until_ms > remembered_ms]
        slices = time_slices(asked, SLICE_HOURS)
        for part, queries in told_of_slices(self._started, slices, threads=self.threads):
            gathering.take_started(part, queries)
        for each in request.days:
            gathering.follow(each)
        reason = f"the API remembers the queries of {FOLLOWED_DAYS} days only"
        return gathering.gathered({each.day: reason for each in request.days if each not in asked})

    def _started(self, part: TimeSlice) -> list[object]:
        """Queries that were received in a part of a day."""
        return queries_of(self.api, _received(part.since_ms, part.until_ms))


def queries_of(api: Api, filters: Query) -> list[object]:
    """Every query that fits a filter, with its metrics."""
    query: Query = {**filters, "include_metrics": True, "max_results": PAGE_SIZE}
    return list(listed(partial(api.get, PATH), query, "res", what=PATH))


def _received(since_ms: int, until_ms: int) -> Query:
    received = "filter_by.query_start_time_range"
    return {f"{received}.start_time_ms": since_ms, f"{received}.end_time_ms": until_ms}


class _Gathering:
    """Rows of the days, each day made of the one before and of what is asked for."""

    def __init__(self, api: Api, table: str, request: Request) -> None:
        self._api = api
        self._rows = DayRows.of(request)
        self._rejected = RejectedObjects(table, f"GET {PATH}")
        self._counts = Counter[str]()
        self._columns = pl.Schema({PARTITION_DATE.name: pl.Date, **self._rows.columns})
        self._stored = (
            self._columns.to_frame()
            if request.coverage.is_empty()
            else request.coverage.select(self._columns.names())
        )
        self._takes_ids_alone = True

    def take_started(self, part: TimeSlice, queries: Iterable[object]) -> None:
        """Take the queries received in a part of a day."""
        for query in queries:
            row = self._row(part.day, query)
            if row is not None and part.contains(cast("int", row["query_start_time_ms"])):
                self._rows.take(part.day, row)
            elif row is not None:
                self._counts["queries_of_other_times"] += 1

    def follow(self, window: DayWindow) -> None:
        """Add to a day what goes on from the day before."""
        going_on = self._of_day(window.day - timedelta(days=1)).filter(
            goes_on(pl.lit(window.window.since_ms))
        )
        self._rows.take_rows(window.day, going_on.filter(QUERY_ENDED_MS.is_not_null()))
        may_change = ~pl.col("is_final").fill_null(QUERY_ENDED_MS.is_not_null())
        asked = going_on.filter(may_change).sort(QUERY_KEY)
        for block in asked.iter_slices(IDS_AT_ONCE):
            ids = block["query_id"].to_list()
            for query in self._by_id(block, ids):
                row = self._row(window.day, query)
                if row is not None and row["query_id"] in ids:
                    self._rows.take(window.day, row)
                elif row is not None:
                    self._counts["queries_not_asked_for"] += 1

    def gathered(self, reasons: Mapping[date, str]) -> Gathered:
        """Everything taken."""
        return Gathered(
            rows=self._rows.by_day(),
            rejected=self._rejected.by_day(),
            processed=pl.DataFrame(),
            counts={**self._counts, **self._rows.counts(), **self._rejected.counts()},
            reasons=reasons,
        )

    def _of_day(self, day: date) -> pl.DataFrame:
        """A day's queries as they are known best: the answer given last about each."""
        of_day = pl.col(PARTITION_DATE.name) == day
        stored = self._stored.filter(of_day).select(self._rows.columns.names())
        taken = self._rows.of_day(day).collect()
        return (
            pl.concat([stored, taken])
            .sort(QUERY_ENDED_MS, nulls_last=True, descending=True)
            .unique(QUERY_KEY, keep="first", maintain_order=True)
        )

    def _by_id(self, rows: pl.DataFrame, ids: Sequence[str]) -> list[object]:
        """What the API tells of queries now; of those it has forgotten it tells nothing."""
        filters: Query = {"filter_by.statement_ids": ids}
        if self._takes_ids_alone:
            try:
                return queries_of(self._api, filters)
            except ApiRefused as refusal:
                if refusal.status != _BAD_REQUEST:
                    raise
                self._takes_ids_alone = False
        # Some workspaces want a range of starts with the ids.
        self._counts["queries_asked_with_a_range"] += len(ids)
        starts = rows["query_start_time_ms"]
        since_ms, last_ms = cast("int", starts.min()), cast("int", starts.max())
        return queries_of(self._api, {**filters, **_received(since_ms, last_ms + 1)})

    def _row(self, day: date, query: object) -> Json | None:
        """A query with its metrics beside its other fields; None: it is none, and is rejected."""
        reason = _why_no_query(query)
        if reason:
            self._rejected.take(day, reason, query)
            return None
        told = object_of(query) or {}
        fields = {key: value for key, value in told.items() if value is not None}
        metrics = object_of(fields.pop("metrics", None)) or {}
        flat = {**metrics, **fields}
        flat.setdefault("warehouse_id", flat.get("endpoint_id"))
        return {key: value for key, value in flat.items() if value != 0 or key not in _ENDS}


def _why_no_query(query: object) -> str:
    told = object_of(query)
    if told is None:
        return "not an object"
    if text_of(told.get("query_id")) is None:
        return "no query_id"
    is_timed = number_of(told.get("query_start_time_ms")) is not None
    return "" if is_timed else "no query_start_time_ms"
