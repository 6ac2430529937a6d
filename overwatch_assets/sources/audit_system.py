"""Audit events from the system table `system.access.audit`, through a SQL warehouse.

The table is queried by the day that Databricks gives an event and cut by the event's own time.
Events reach it late, so each load also counts what the days before hold by now: a day that has
grown since it was read is told to the tracker.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import cast

import msgspec
import polars as pl

from overwatch_assets.sources.audit_azure import epoch_ms
from overwatch_assets.sources.audit_collecting import AuditCollector
from overwatch_assets.sources.audit_records import AuditRecords, Delivered, NoRecord, whole_number
from overwatch_assets.sources.file_tracker import TRACKER_SCHEMA
from overwatch_assets.sources.gathering import Gathered, Request
from overwatch_assets.sources.rejected_lines import RejectedLine, frames_by_day
from overwatch_assets.sources.rest_api.api import Api
from overwatch_assets.sources.rest_api.statements import Parameter, run_statement

ROUTE = "system"
TABLE = "system.access.audit"
COUNTED_DAYS = 7
"""Days whose number of events each load counts again."""

_COLUMNS: Mapping[str, str] = {
    "event_time": "timestamp",
    "service_name": "serviceName",
    "action_name": "actionName",
    "request_id": "requestId",
    "session_id": "sessionId",
    "source_ip_address": "sourceIPAddress",
    "user_agent": "userAgent",
    "user_identity": "userIdentity",
    "request_params": "requestParams",
    "response": "response",
    "version": "version",
    "audit_level": "auditLevel",
    "account_id": "accountId",
}
_FIELDS = {
    "subject_name": "subjectName",
    "status_code": "statusCode",
    "error_message": "errorMessage",
}

_EVENTS = f"""
select {", ".join(_COLUMNS)} from {TABLE}
where workspace_id = :workspace and event_date between :first_date and :last_date
and event_time >= :since and event_time < :until
"""  # noqa: S608 - made of constants; values are parameters

_DAYS = f"""
select distinct event_date from {TABLE}
where workspace_id = :workspace and event_date between :first_date and :last_date
"""  # noqa: S608 - made of constants; values are parameters

_OF_DAY = "sum(case when event_time >= :since_{0} and event_time < :until_{0} then 1 else 0 end)"


@dataclass(frozen=True, slots=True)
class SystemAuditTable:
    """The audit events of one workspace in its account's system table.

    Attributes:
        api: API of the workspace whose SQL warehouse is used.
        warehouse_id: The warehouse.
        sleep: Waits between two questions whether a statement is done.
    """

    api: Api
    warehouse_id: str
    sleep: Callable[[float], None] = field(default=time.sleep)

    def gather(self, request: Request) -> Gathered:
        """Query the events of the days asked for, and count those of the days before.

        Raises:
            SourceError: The table or the warehouse can't be used.
        """
        records = AuditRecords()
        collector = AuditCollector(request)
        rejected: list[tuple[RejectedLine, int]] = []
        read = Counter({each.day: 0 for each in request.days})
        for values in self._events(request):
            delivered = _delivered(values)
            at_ms = whole_number(delivered.timestamp) or request.first_ms
            read[collector.day_of(at_ms)] += 1
            event = records.row_or_reason(delivered)
            if isinstance(event, NoRecord):
                text = msgspec.json.encode(values)
                line = RejectedLine.of_line(TABLE, None, text, str(event), at_ms)
                rejected.append((line, at_ms))
            else:
                collector.add(event, at_ms, None)
        return Gathered(
            rows=collector.rows(),
            rejected=frames_by_day(rejected, ROUTE, collector.day_of),
            processed=_tracked(read, *self._grown(request, read)),
            counts=dict(+(collector.counts + records.counts)),
        )

    def delivered_days(
        self, organization_id: str, first: date, last: date, *, longest_wait_s: float
    ) -> set[date]:
        """The days, as Databricks dates events, that have events of the workspace.

        Args:
            organization_id: The workspace.
            first: First day asked for.
            last: Last day asked for.
            longest_wait_s: How long a warehouse may take to answer.

        Raises:
            SourceError: The table or the warehouse can't be used.
        """
        parameters = (
            Parameter("workspace", organization_id),
            Parameter("first_date", str(first), "DATE"),
            Parameter("last_date", str(last), "DATE"),
        )
        told = run_statement(
            self.api,
            self.warehouse_id,
            _DAYS,
            parameters,
            sleep=self.sleep,
            longest_wait_s=longest_wait_s,
        )
        return {date.fromisoformat(str(each["event_date"])[:10]) for each in told}

    def _events(self, request: Request) -> Iterator[Mapping[str, object]]:
        since, until = request.days[0].window.since, request.days[-1].window.until
        parameters = (
            Parameter("workspace", request.organization_id),
            Parameter("first_date", _date(since - timedelta(days=1)), "DATE"),
            Parameter("last_date", _date(until + timedelta(days=1)), "DATE"),
            Parameter("since", _timestamp(since), "TIMESTAMP"),
            Parameter("until", _timestamp(until), "TIMESTAMP"),
        )
        return run_statement(self.api, self.warehouse_id, _EVENTS, parameters, sleep=self.sleep)

    def _grown(
        self, request: Request, read: Mapping[date, int]
    ) -> tuple[Mapping[date, int], Mapping[date, int]]:
        """Events of days that were read before and have grown, and how many there are more."""
        known = _known_counts(request.known)
        now = datetime.fromtimestamp(request.now_ms / 1000, request.zone)
        days = [now.date() - timedelta(days=back) for back in range(COUNTED_DAYS)]
        asked = [day for day in sorted(days) if day in known and day not in read]
        if not asked:
            return {}, {}
        counts = self._counts(request, asked)
        grown = {day: more for day in asked if (more := counts[day] - known[day]) > 0}
        return {day: known[day] for day in grown}, grown

    def _counts(self, request: Request, days: Sequence[date]) -> Mapping[date, int]:
        parameters = [
            Parameter("workspace", request.organization_id),
            Parameter("first_date", str(days[0] - timedelta(days=1)), "DATE"),
            Parameter("last_date", str(days[-1] + timedelta(days=1)), "DATE"),
        ]
        sums: list[str] = []
        for number, day in enumerate(days):
            midnight = datetime(day.year, day.month, day.day, tzinfo=request.zone)
            sums.append(f"{_OF_DAY.format(number)} as n{number}")
            parameters += [
                Parameter(f"since_{number}", _timestamp(midnight), "TIMESTAMP"),
                Parameter(f"until_{number}", _timestamp(midnight + timedelta(days=1)), "TIMESTAMP"),
            ]
        statement = (
            f"select {', '.join(sums)} from {TABLE} where workspace_id = :workspace "  # noqa: S608 - made of constants; values are parameters
            "and event_date between :first_date and :last_date"
        )
        [counted] = run_statement(
            self.api, self.warehouse_id, statement, parameters, sleep=self.sleep
        )
        return {day: int(str(counted[f"n{n}"] or 0)) for n, day in enumerate(days)}


def _delivered(values: Mapping[str, object]) -> Delivered:
    """A row in the bucket's spelling."""
    named = {name: values.get(column) for column, name in _COLUMNS.items()}
    for name in ("userIdentity", "response"):
        named[name] = _renamed(named[name])
    named["timestamp"] = epoch_ms(named["timestamp"])
    return Delivered(**named)


def _renamed(value: object) -> object:
    """A struct, which may come as JSON text, with the bucket's names of its fields."""
    found = value
    if isinstance(value, str):
        try:
            found = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return value
    if not isinstance(found, dict):
        return found
    fields = cast("dict[str, object]", found)
    return {_FIELDS.get(name, name): each for name, each in fields.items()}


def _known_counts(tracker: pl.DataFrame) -> Mapping[date, int]:
    """Events read of each day, as the newest row of the tracker tells."""
    if tracker.is_empty():
        return {}
    of_table = tracker.filter(pl.col("path") == TABLE).sort("Pipeline_SnapTS")
    return {
        each["day"]: each["rows"] + sum(late["rows"] for late in row["late_rows"])
        for row in of_table.iter_rows(named=True)
        for each in row["day_counts"]
    }


def _tracked(
    read: Mapping[date, int], known: Mapping[date, int], grown: Mapping[date, int]
) -> pl.DataFrame:
    """Rows for the tracker: one per day that was read or has grown; the day is its tag."""
    days: list[tuple[object, ...]] = []
    for day, rows in sorted({**known, **read}.items()):
        late = grown.get(day, 0)
        counted = [{"day": day, "rows": rows}]
        told = [{"day": day, "rows": late}] if late else []
        size = rows + late
        days.append(
            (TABLE, size, None, str(day), True, 0, rows, 0, 0, None, None, counted, told, None)
        )
    return pl.DataFrame(days, schema=TRACKER_SCHEMA, orient="row")


def _date(instant: datetime) -> str:
    return instant.astimezone(UTC).date().isoformat()


def _timestamp(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
