from datetime import date

from overwatch_assets.gold.sql_query_history_gold import (
    COLUMNS,
    DOCUMENTED,
    sql_query_history_gold,
)
from overwatch_assets.module import Window
from overwatch_assets.presentation import sqlqueryhistory
from overwatch_assets_tests.frames import Row, declared, ms, table, utc

WINDOW = Window(since=utc("2024-05-06"), until=utc("2024-05-07"))
QUERY: Row = {
    "warehouse_id": "w-1",
    "query_id": "q-1",
    "query_start_time_ms": ms("2024-05-06 08:00"),
    "query_end_time_ms": ms("2024-05-06 08:01"),
    "rows_read_count": 12,
    "result_from_cache": True,
    "_extra": '{"new":1}',
    "end_imputed": False,
    "end_reason": "event",
    "is_open": False,
    "partition_date": date(2024, 5, 6),
}


def test_a_query_is_copied_with_everything_that_is_told_of_it() -> None:
    silver = table("sql_query_history_silver", QUERY)
    [row] = sql_query_history_gold(silver, window=WINDOW).collect().to_dicts()
    assert {name: row[name] for name in QUERY} == QUERY


def test_gold_has_silvers_columns_those_of_the_dictionary_first() -> None:
    silver = {column.name: column for column in declared("sql_query_history_silver").columns}
    assert {column.name: column for column in COLUMNS} == silver
    assert tuple(column.name for column in COLUMNS)[: len(DOCUMENTED)] == DOCUMENTED


def test_the_view_shows_the_dictionarys_columns_and_how_the_query_ended() -> None:
    of_workspace = ("organization_id", "workspace_name")
    assert sqlqueryhistory.VIEW.columns == (
        *of_workspace, *DOCUMENTED, "end_imputed", "end_reason",
    )  # fmt: skip
