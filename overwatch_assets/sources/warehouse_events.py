"""Events of SQL warehouses from the system table `system.compute.warehouse_events`.

The table holds the events of every workspace of the account and is queried through a SQL
warehouse. An account that has not enabled its schema has no such table: days are empty then, and
say so.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import polars as pl

from overwatch_assets.errors import SourceError
from overwatch_assets.module import Window
from overwatch_assets.sources.audit_azure import epoch_ms
from overwatch_assets.sources.gathering import Gathered, Request
from overwatch_assets.sources.rest_api.answers import text_of
from overwatch_assets.sources.rest_api.api import Api
from overwatch_assets.sources.rest_api.day_rows import DayRows
from overwatch_assets.sources.rest_api.rejected_objects import RejectedObjects
from overwatch_assets.sources.rest_api.statements import (
    Parameter,
    StatementFailed,
    run_statement,
)

TABLE = "system.compute.warehouse_events"

_EVENTS = f"""
select warehouse_id, event_type, cluster_count, event_time from {TABLE}
where workspace_id = :workspace and event_time >= :since and event_time < :until
"""  # noqa: S608 - made of constants; values are parameters

_NOT_THERE = ("TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND", "NO_SUCH_CATALOG", "UC_NOT_ENABLED")

GRANTS = (
    "an account admin enables the schema system.compute and grants USE CATALOG on system, "
    f"USE SCHEMA on system.compute and SELECT on {TABLE}"
)


@dataclass(frozen=True, slots=True)
class SystemWarehouseEvents:
    """The events of one workspace's SQL warehouses in its account's system table.

    Attributes:
        api: API of the workspace whose SQL warehouse is used.
        warehouse_id: The warehouse.
        table: For whom; rejected rows are kept under this name.
        sleep: Waits between two questions whether a statement is done.
    """

    api: Api
    warehouse_id: str
    table: str
    sleep: Callable[[float], None] = field(default=time.sleep)

    def gather(self, request: Request) -> Gathered:
        """Query the events of the days asked for.

        Raises:
            SourceError: The table may not be read, or the warehouse can't be used.
        """
        rows, rejected = DayRows.of(request), RejectedObjects(self.table, f"select from {TABLE}")
        counts = Counter[str]()
        try:
            for told in self._events(request):
                at_ms = epoch_ms(told.get("event_time"))
                reason = _why_no_event(told, at_ms)
                day = next((d.day for d in request.days if _is_within(d.window, at_ms)), None)
                if reason:
                    rejected.take(day or request.days[0].day, reason, told)
                elif day is None:
                    counts["events_of_other_times"] += 1
                else:
                    rows.take(day, {**told, "timestamp": at_ms})
        except StatementFailed as error:
            if not any(each in str(error) for each in _NOT_THERE):
                message = (
                    f"workspace {request.organization_id}: {TABLE} can't be read through SQL "
                    f"warehouse {self.warehouse_id}: {error}; {GRANTS}"
                )
                raise SourceError(message) from error
            reason = f"there is no {TABLE}: {GRANTS}"
            reasons = {each.day: reason for each in request.days}
            return Gathered(rows={}, rejected={}, processed=pl.DataFrame(), reasons=reasons)
        return Gathered(
            rows=rows.by_day(),
            rejected=rejected.by_day(),
            processed=pl.DataFrame(),
            counts={**counts, **rows.counts(), **rejected.counts()},
        )

    def _events(self, request: Request) -> Iterator[Mapping[str, object]]:
        parameters = (
            Parameter("workspace", request.organization_id),
            Parameter("since", _instant(request.days[0].window.since), "TIMESTAMP"),
            Parameter("until", _instant(request.days[-1].window.until), "TIMESTAMP"),
        )
        return run_statement(self.api, self.warehouse_id, _EVENTS, parameters, sleep=self.sleep)


def _is_within(window: Window, at_ms: int | None) -> bool:
    return at_ms is not None and window.since_ms <= at_ms < window.until_ms


def _why_no_event(told: Mapping[str, object], at_ms: int | None) -> str:
    for name in ("warehouse_id", "event_type"):
        if text_of(told.get(name)) is None:
            return f"no {name}"
    return "" if at_ms is not None else "no event_time"


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
