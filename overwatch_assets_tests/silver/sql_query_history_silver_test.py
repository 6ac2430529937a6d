from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl
import pytest

from overwatch_assets.execution.laws import require_lawful
from overwatch_assets.execution.windows import Cell
from overwatch_assets.expressions.query_columns import FROM_START
from overwatch_assets.module import LEFT_OUT, DayWindow, Window
from overwatch_assets.silver.sql_query_history_silver import sql_query_history_silver
from overwatch_assets_tests.frames import Row, ms, table
from overwatch_assets_tests.silver.cluster_days import whole_days, window

MONDAY, TUESDAY, WEDNESDAY = "2024-05-06", "2024-05-07", "2024-05-08"
SHOWN = ("query_id", "status", "query_end_time_ms", "end_reason", "is_open")


def query(start: str, end: str | None = None, query_id: str = "q-1", **more: object) -> Row:
    """A query as it is told of: ended where there is an end, else running."""
    told: Row = {
        "warehouse_id": "w-1",
        "query_id": query_id,
        "query_start_time_ms": ms(start),
        "query_text": "select 1",
        "user_name": "maria",
        "status": "RUNNING",
        "is_final": False,
    }
    if end is None:
        return {**told, **more}
    ended = {"status": "FINISHED", "is_final": True, "query_end_time_ms": ms(end), "read_bytes": 9}
    return {**told, **ended, **more}


@dataclass
class Loaded:
    """Stored rows per day, and what was only counted."""

    days: dict[str, pl.DataFrame] = field(default_factory=dict[str, pl.DataFrame])
    counted: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def rows(self, day: str, *columns: str) -> list[tuple[object, ...]]:
        return self.days[day].sort("query_id").select(columns or SHOWN).rows()


def load(*told: Sequence[Row], first: str = MONDAY) -> Loaded:
    """Days of the module, each with what bronze holds of it."""
    return load_windows(list(told), whole_days(first, len(told)))


def load_windows(told: Sequence[Sequence[Row]], windows: dict[str, Window]) -> Loaded:
    loaded, module = Loaded(), sql_query_history_silver
    carried = table(module.table.name).collect()
    for rows, (name, each) in zip(told, windows.items(), strict=True):
        bronze = table("sql_query_history_bronze", *rows)
        made = module(bronze, carried.lazy(), window=each).collect(engine="in-memory")
        loaded.counted[name] = made[LEFT_OUT].drop_nulls().to_list()
        stored = made.filter(pl.col(LEFT_OUT).is_null())
        day = DayWindow(date(1970, 1, 1), each)
        require_lawful(module, Cell(module.table.name, "acme", day.day), stored, day, carried)
        loaded.days[name] = stored
        opened = stored.filter("is_open").select(
            name for name in module.table.schema if name in stored.columns
        )
        carried = pl.concat([pl.DataFrame(schema=module.table.schema), opened], how="diagonal")
    return loaded


def test_a_query_of_a_day_is_one_closed_row_with_all_that_is_told() -> None:
    told = query(
        f"{MONDAY} 08:00",
        f"{MONDAY} 08:01",
        task_total_time_ms=7,
        result_from_cache=False,
        channel_used={"name": "CURRENT", "dbsql_version": None},
        _extra='{"new":1}',
    )
    [row] = load([told]).days[MONDAY].to_dicts()
    assert {name: row[name] for name in told} == told
    assert (row["is_open"], row["end_imputed"], row["end_reason"]) == (False, False, "event")


def test_a_query_over_midnight_is_open_and_then_closed_on_the_day_of_its_end() -> None:
    """Overwatch leaves one that lasts for more than two days as it was."""
    told = query(f"{MONDAY} 08:00", f"{WEDNESDAY} 09:00")
    loaded = load([told], [told], [told])
    opened = ("q-1", "RUNNING", None, None, True)
    assert [loaded.rows(day) for day in loaded.days] == [
        [opened],
        [opened],
        [("q-1", "FINISHED", ms(f"{WEDNESDAY} 09:00"), "event", False)],
    ]


def test_an_open_row_is_the_same_whenever_its_day_was_asked_for() -> None:
    """What happened later is told by an answer of later, and by the row of its day only."""
    later = query(
        f"{MONDAY} 08:00", f"{TUESDAY} 09:00", duration=5, error_message="x", spark_ui_url="y"
    )
    on_time = query(f"{MONDAY} 08:00", duration=3, spark_ui_url="y", is_cancelable=True)
    rows = [load([told]).days[MONDAY] for told in (later, on_time)]
    assert rows[0].equals(rows[1])
    known = [name for name in rows[0].columns if rows[0][name].null_count() == 0]
    assert {*known} - {*FROM_START} == {"status", "is_final", "end_imputed", "is_open"}


@pytest.mark.parametrize(
    ("end", "is_open"),
    [(f"{MONDAY} 23:59:59.999", False), (TUESDAY, True), (f"{TUESDAY} 00:00:00.001", True)],
)
def test_a_midnight_end_belongs_to_the_new_day(end: str, *, is_open: bool) -> None:
    told = query(f"{MONDAY} 23:00", end)
    assert load([told]).rows(MONDAY, "is_open") == [(is_open,)]


def test_without_a_fetch_the_end_of_the_execution_counts() -> None:
    told = query(f"{MONDAY} 23:00", status="FAILED", execution_end_time_ms=ms(f"{MONDAY} 23:10"))
    assert load([told]).rows(MONDAY, "status", "is_open") == [("FAILED", False)]
    fetched = {**told, "query_end_time_ms": ms(f"{TUESDAY} 00:01")}
    loaded = load([fetched], [fetched])
    assert [loaded.rows(day, "is_open") for day in loaded.days] == [[(True,)], [(False,)]]


@pytest.mark.parametrize(("status", "is_open"), [("CANCELED", False), ("RUNNING", True)])
def test_a_query_that_is_over_without_an_instant_ended_after_its_duration(
    status: str, *, is_open: bool
) -> None:
    told = query(f"{MONDAY} 23:00", status=status, duration=1000)
    assert load([told]).rows(MONDAY, "is_open") == [(is_open,)]


def test_a_query_that_is_not_told_of_again_stays_open_as_it_was() -> None:
    loaded = load([query(f"{MONDAY} 08:00")], [], [])
    shown = (*SHOWN, "query_text", "user_name")
    assert loaded.rows(WEDNESDAY, *shown) == loaded.rows(MONDAY, *shown)
    assert loaded.rows(WEDNESDAY) == [("q-1", "RUNNING", None, None, True)]


def test_what_vanished_closes_thirty_days_after_its_start_without_an_end() -> None:
    told = [[query(f"{MONDAY} 08:00")], [], [], []]
    spans = {
        "begin": window(ms(MONDAY), ms(TUESDAY)),
        "month": window(ms(TUESDAY), ms("2024-06-05")),
        "gone": window(ms("2024-06-05"), ms("2024-06-06")),
        "after": window(ms("2024-06-06"), ms("2024-06-07")),
    }
    loaded = load_windows(told, spans)
    assert loaded.rows("month", "is_open") == [(True,)]
    shown = (*SHOWN, "end_imputed")
    assert loaded.rows("gone", *shown) == [("q-1", "RUNNING", None, "vanished", False, True)]
    assert loaded.days["after"].is_empty()


def test_since_when_a_running_query_waits_and_is_executed_is_known_from_then_on() -> None:
    waits, taken = ms(f"{MONDAY} 08:00"), ms(f"{TUESDAY} 00:10")
    told = query(
        f"{MONDAY} 08:00",
        overloading_queue_start_timestamp=waits,
        query_compilation_start_timestamp=taken,
    )
    loaded = load([told], [told], [])
    columns = ("overloading_queue_start_timestamp", "query_compilation_start_timestamp")
    assert [loaded.rows(day, *columns) for day in loaded.days] == [
        [(waits, None)],
        [(waits, taken)],
        [(waits, taken)],
    ]


def test_what_is_known_later_of_the_start_fills_what_was_not_and_changes_nothing() -> None:
    before = query(f"{MONDAY} 08:00", user_name=None, statement_type="SELECT")
    after = query(f"{MONDAY} 08:00", f"{TUESDAY} 08:00", user_name="maria", statement_type="OTHER")
    loaded = load([before], [after])
    assert loaded.rows(TUESDAY, "user_name", "statement_type") == [("maria", "SELECT")]


def test_a_query_that_had_ended_before_the_day_is_counted_and_not_closed_twice() -> None:
    late = query(f"{MONDAY} 23:00", f"{MONDAY} 23:30")
    loaded = load([late], [late, query(f"{TUESDAY} 08:00", f"{TUESDAY} 09:00", "q-2")])
    assert loaded.rows(TUESDAY, "query_id") == [("q-2",)]
    assert loaded.counted[TUESDAY] == ["ended_before"]


def test_an_end_that_is_told_too_late_for_its_day_closes_the_query_on_the_day_it_is_told() -> None:
    ended = query(f"{MONDAY} 23:00", f"{MONDAY} 23:30")
    loaded = load([query(f"{MONDAY} 23:00")], [ended])
    assert loaded.rows(TUESDAY) == [("q-1", "FINISHED", ms(f"{MONDAY} 23:30"), "event", False)]


def test_a_day_that_is_cut_knows_only_what_was_before() -> None:
    told = [
        query(f"{MONDAY} 08:00", f"{MONDAY} 10:00"),
        query(f"{MONDAY} 11:00", f"{MONDAY} 11:01", "q-2"),
    ]
    cut = {"cut": window(ms(MONDAY), ms(f"{MONDAY} 09:00"))}
    assert load_windows([told], cut).rows("cut", "query_id", "is_open") == [("q-1", True)]


def test_queries_are_told_apart_by_warehouse_id_and_start_even_where_one_is_unknown() -> None:
    told = [
        query(f"{MONDAY} 08:00"),
        query(f"{MONDAY} 08:00", warehouse_id="w-2"),
        query(f"{MONDAY} 08:00", warehouse_id=None),
        query(f"{MONDAY} 09:00"),
    ]
    loaded = load(told, told)
    assert [loaded.days[day].height for day in loaded.days] == [4, 4]


def test_no_queries_give_no_rows_of_the_declared_types() -> None:
    rows = load([]).days[MONDAY]
    declared = {column.name: column.dtype for column in sql_query_history_silver.table.columns}
    assert {name: rows.schema[name] for name in declared} == declared
    assert rows.is_empty()
