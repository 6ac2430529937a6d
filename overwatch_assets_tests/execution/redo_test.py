"""What a reload leaves to be redone is found without reading the records of all days."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from overwatch_assets.execution.records import ReadKind, ReadRecord, Record, Status
from overwatch_assets.execution.redo import downstream_steps
from overwatch_assets.registry import in_load_order
from overwatch_assets_tests.memory import MemoryLedger

ORG = "1"
CAPTURES, AUDIT, POOLS, SHOWN = (
    "pools_snapshot_bronze",
    "audit_log_bronze",
    "pools_silver",
    "instancepool_gold",
)
MODULES = [each for each in in_load_order() if each.table.name in {CAPTURES, AUDIT, POOLS, SHOWN}]
FIRST = date(2024, 1, 1)
DAYS = [FIRST + timedelta(days=number) for number in range(90)]
some_days = st.sets(st.sampled_from(DAYS), max_size=12)


@dataclass
class Counting(MemoryLedger):
    """Counts the records that are read."""

    read: list[date] = field(default_factory=list[date])

    def latest(
        self, table: str, organization_id: str, days: Collection[date]
    ) -> Mapping[date, Record]:
        self.read += days
        return super().latest(table, organization_id, days)


def record(table: str, day: date, rows: int, *reads: ReadRecord) -> Record:
    return Record(
        table=table,
        organization_id=ORG,
        day=day,
        since_ms=0,
        until_ms=1,
        day_end_ms=1,
        status=Status.SUCCESS,
        reason="",
        rows=rows,
        open_rows=0,
        closed_version=1,
        open_version=0,
        snapshot_ms=1,
        run_id="run",
        delta_version=1,
        reads=reads,
    )


def loaded(captured: Collection[date], with_rows: Collection[date]) -> Counting:
    """A workspace that was captured on some days; of these some have rows."""
    ledger = Counting()
    ledger.write([record(CAPTURES, day, int(day in with_rows)) for day in captured])
    for day in DAYS:
        closing = min((each for each in with_rows if each > day), default=day)
        ledger.write(
            [
                record(AUDIT, day, 1),
                record(
                    POOLS,
                    day,
                    1,
                    ReadRecord(AUDIT, ReadKind.DAY, day, day, 1),
                    ReadRecord(CAPTURES, ReadKind.CAPTURES, day, closing, 1),
                ),
                record(SHOWN, day, 1, ReadRecord(POOLS, ReadKind.CLOSED, day, day, 1)),
            ]
        )
    return ledger


def planned(ledger: MemoryLedger, asked: Mapping[str, Sequence[date]]) -> dict[str, list[date]]:
    steps = downstream_steps(MODULES, ledger, ORG, asked)
    return {step.module.table.name: list(step.days) for step in steps}


@settings(deadline=None)
@given(some_days, some_days, some_days, some_days)
def test_no_day_is_missed_that_read_something_touched(
    captured: set[date], with_rows: set[date], asked: set[date], asked_captures: set[date]
) -> None:
    ledger = loaded(captured | with_rows, with_rows)
    expected = [
        day
        for day in DAYS
        if day in asked
        or any(
            each >= day and not any(day < closing < each for closing in with_rows)
            for each in asked_captures
        )
    ]
    found = planned(ledger, {AUDIT: sorted(asked), CAPTURES: sorted(asked_captures)})
    assert found.get(POOLS, []) == expected
    assert found.get(SHOWN, []) == expected


def test_a_daily_run_reads_the_records_of_a_month_however_long_the_history_is() -> None:
    ledger = loaded(DAYS, DAYS)
    today = DAYS[-1] + timedelta(days=1)
    found = planned(ledger, {AUDIT: [DAYS[-1]], CAPTURES: [today]})
    assert found == {POOLS: [DAYS[-1]], SHOWN: [DAYS[-1]]}
    assert min(ledger.read) >= today - timedelta(days=33)
