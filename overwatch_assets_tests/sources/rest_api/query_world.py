"""A made-up SQL warehouse whose queries last seconds or days, and the API that tells of them."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import polars as pl

from overwatch_assets.bronze.sql_query_history_bronze import sql_query_history_bronze
from overwatch_assets.execution.load import Loader
from overwatch_assets.execution.records import Record
from overwatch_assets.execution.run import Run
from overwatch_assets.module import DayWindow
from overwatch_assets.sources.gathering import Source
from overwatch_assets.sources.rest_api.api import ApiError, ApiRefused, Json, Query
from overwatch_assets.sources.rest_api.queries_to_follow import queries_to_follow
from overwatch_assets.sources.rest_api.sql_query_history import SqlQueryHistory
from overwatch_assets_tests.memory import MadeUpWorkspace, MemoryLedger, MemoryStore, UtcCalendar

HOUR = 3_600_000
DAY = 24 * HOUR
FIRST_DAY = date(2024, 5, 6)
DAYS = tuple(FIRST_DAY + timedelta(days=number) for number in range(5))
START = round(datetime(2024, 5, 6, tzinfo=UTC).timestamp() * 1000)


@dataclass(frozen=True)
class SqlQuery:
    """A query; `end_ms` None: it never ends."""

    query_id: str
    start_ms: int
    end_ms: int | None
    warehouse_id: str = "w-1"

    def told(self, now_ms: int) -> Json:
        """What the API tells of it at an instant."""
        told: Json = {
            "query_id": self.query_id,
            "warehouse_id": self.warehouse_id,
            "query_start_time_ms": self.start_ms,
            "query_text": "select 1",
            "user_id": 7,
        }
        if self.end_ms is None or self.end_ms > now_ms:
            return {**told, "status": "RUNNING", "is_final": False}
        return {
            **told,
            "status": "FINISHED",
            "is_final": True,
            "query_end_time_ms": self.end_ms,
            "duration": self.end_ms - self.start_ms,
            "metrics": {"total_time_ms": self.end_ms - self.start_ms, "read_bytes": 10},
        }


@dataclass
class QueryApi:
    """`sql/history/queries` as it is at an instant.

    Attributes:
        page_size: Queries on a page, whatever is asked for.
        wants_range: Ids alone are refused.
        failing: Whether nothing is answered.
        repeats: Each page tells its queries twice.
        remembered_ms: For how long after its start a query is told.
        asked: The questions, in the order they came.
    """

    queries: Sequence[SqlQuery]
    now_ms: int = 0
    page_size: int = 2
    wants_range: bool = False
    failing: bool = False
    repeats: bool = False
    remembered_ms: int = 30 * DAY
    asked: list[Query] = field(default_factory=list[Query])

    def get(self, path: str, query: Query | None = None) -> Json:
        assert path == "/api/2.0/sql/history/queries"
        assert query is not None
        assert query["include_metrics"] is True
        self.asked.append(query)
        if self.failing:
            message = f"workspace acme-prod: {path}: no answer"
            raise ApiError(message)
        received = "filter_by.query_start_time_range"
        since = query.get(f"{received}.start_time_ms")
        until = query.get(f"{received}.end_time_ms")
        ids = query.get("filter_by.statement_ids")
        if self.wants_range and ids and since is None:
            message = "query_start_time_range is required"
            raise ApiRefused(message, status=400, code="X", said=message, is_missing=False)
        found = [
            each.told(self.now_ms)
            for each in self.queries
            if self.now_ms - self.remembered_ms <= each.start_ms < self.now_ms
            and (since is None or int(str(since)) <= each.start_ms <= int(str(until)))
            and (ids is None or (isinstance(ids, list) and each.query_id in ids))
        ]
        page = int(str(query.get("page_token", 0)))
        start = page * self.page_size
        told = found[start : start + self.page_size]
        more = {"next_page_token": str(page + 1)} if start + self.page_size < len(found) else {}
        return {"res": told * 2 if self.repeats else told, **more}

    def post(self, path: str, body: Mapping[str, object]) -> Json:
        raise AssertionError(path, body)

    def download(self, path: str) -> Iterator[bytes]:
        raise AssertionError(path)

    def fetch(self, url: str) -> bytes:
        raise AssertionError(url)


def made_up(seed: int) -> list[SqlQuery]:
    """Queries of the days: many within a day, some over midnights, some without an end."""
    pick = random.Random(seed)  # noqa: S311 - no secret
    queries: list[SqlQuery] = []
    for number in range(14):
        start = START + pick.randrange(len(DAYS) * DAY)
        if pick.random() < 0.2:
            start = start // DAY * DAY - pick.choice([0, 1])
        start = max(START, start)
        end = start + pick.choice([1, HOUR, 20 * HOUR, 50 * HOUR])
        if pick.random() < 0.2:
            end = end // DAY * DAY
        is_endless = pick.random() < 0.15
        queries.append(SqlQuery(f"q-{number}", start, None if is_endless else max(start, end)))
    return queries


@dataclass
class QueryDeployment:
    """The query history of a workspace in memory."""

    api: QueryApi
    store: MemoryStore = field(default_factory=MemoryStore)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    workspace: MadeUpWorkspace = field(default_factory=MadeUpWorkspace)
    runs: int = 0

    def load(self, *days: date, now: datetime | None = None) -> list[Record]:
        """Load days as of an instant, else as of the morning after the last."""
        last = datetime(days[-1].year, days[-1].month, days[-1].day, tzinfo=UTC)
        snapshot = now or last + timedelta(hours=30)
        self.api.now_ms = round(snapshot.timestamp() * 1000)
        self.runs += 1
        run = Run(run_id=f"run-{self.runs}", snapshot=snapshot)
        records = self._loader().load(sql_query_history_bronze, self.workspace, days, run)
        self.ledger.write(records)
        return records

    def rows(self) -> pl.DataFrame:
        """Rows without the run's columns."""
        table = sql_query_history_bronze.table
        names = ["partition_date", *(column.name for column in table.columns)]
        rows = self.store.scan(table, self.workspace.organization_id).collect()
        return rows.select(names).sort("partition_date", *table.keys)

    def _loader(self) -> Loader:
        def source(_organization_id: str) -> Source:
            return SqlQueryHistory(self.api, "sql_query_history_bronze", threads=1)

        return Loader(
            store=self.store,
            ledger=self.ledger,
            modules={sql_query_history_bronze.table.name: sql_query_history_bronze},
            calendar=UtcCalendar(),
            sources={"sql_query_history": source},
            coverage={"sql_query_history": self._coverage},
            chunk_days=2,
        )

    def _coverage(self, organization_id: str, days: Sequence[DayWindow]) -> pl.DataFrame:
        stored = self.store.scan(sql_query_history_bronze.table, organization_id)
        return queries_to_follow(stored, days)
