"""Records of days as Dagster keeps them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import dagster as dg
import pytest

from overwatch_assets.execution.records import Record, Status
from overwatch_assets.materializations import DagsterLedger

MONDAY, TUESDAY = date(2024, 5, 6), date(2024, 5, 7)
LOADED = Record(
    table="jobs_silver",
    organization_id="7",
    day=MONDAY,
    since_ms=0,
    until_ms=1,
    day_end_ms=1,
    status=Status.SUCCESS,
    reason="",
    rows=3,
    open_rows=0,
    closed_version=2**64 - 1,
    open_version=0,
    snapshot_ms=2,
    run_id="a",
    delta_version=1,
)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def test_the_newest_record_of_each_day_counts(instance: dg.DagsterInstance) -> None:
    ledger = DagsterLedger(instance)
    again = replace(LOADED, rows=4)
    other = replace(LOADED, organization_id="8", rows=5)
    ledger.write([LOADED, other])
    assert ledger.latest("jobs_silver", "7", [MONDAY, TUESDAY]) == {MONDAY: LOADED}
    ledger.write([again])
    assert ledger.latest("jobs_silver", "7", [MONDAY, TUESDAY]) == {MONDAY: again}
    assert ledger.latest("jobs_silver", "8", [MONDAY]) == {MONDAY: other}


def test_a_record_is_read_once_for_all_tables_of_a_run(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    DagsterLedger(instance).write([LOADED, replace(LOADED, day=TUESDAY)])
    read: dict[int, Record] = {}
    asked: list[int] = []
    fetch = instance.fetch_materializations

    def watched(filters: dg.AssetRecordsFilter, limit: int) -> object:
        asked.append(limit)
        return fetch(filters, limit=limit)

    monkeypatch.setattr(instance, "fetch_materializations", watched)
    DagsterLedger(instance, read).latest("jobs_silver", "7", [MONDAY])
    found = DagsterLedger(instance, read).latest("jobs_silver", "7", [MONDAY, TUESDAY])

    assert found == {day: replace(LOADED, day=day) for day in (MONDAY, TUESDAY)}
    assert asked == [1, 1]
