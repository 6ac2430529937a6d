"""SQL queries: one row per query of a warehouse, from its start to its end.

A query lies on the day it ended: its result fetched, else its execution over. Until then it is
written open on every day, as it was known when the day ended: status RUNNING, since when it waited
and was executed, no end and no metrics, whatever the API told of it later. One whose end nobody
told within 30 days, which is as long as the API remembers it, closes then as `vanished`, without
an end.
"""

import polars as pl

from overwatch_assets.expressions.durations import DAY_MS
from overwatch_assets.expressions.query_columns import (
    ENDINGS,
    FROM_START,
    INSTANTS,
    QUERY_COLUMNS,
    UNTIL_ENDED,
)
from overwatch_assets.module import (
    DECIDED_MS,
    LEFT_OUT,
    Carried,
    Day,
    Grain,
    Scope,
    Window,
    module,
)

QUERY = ("warehouse_id", "query_id", "query_start_time_ms")
FOLLOWED_MS = 30 * DAY_MS
FINAL = ("CANCELED", "FAILED", "FINISHED")
RUNNING = "RUNNING"
EVENT, VANISHED = "event", "vanished"
ENDED_BEFORE = "ended_before"
"""Why a query is only counted: the day before has its end."""

OF_START = tuple(name for name in FROM_START if name not in QUERY)
OF_END = tuple(column.name for column in QUERY_COLUMNS if column.name not in FROM_START)
COLUMNS = (*QUERY_COLUMNS, *ENDINGS)


@module(
    module_id=2020,
    name="Silver_SQLQueryHistory",
    scope=Scope.DBSQL,
    grain=Grain.INTERVAL,
    columns=COLUMNS,
    keys=QUERY,
    reads={"sql_query_history_bronze": Day(), "carried": Carried()},
    provisional=UNTIL_ENDED,
)
def sql_query_history_silver(
    sql_query_history_bronze: pl.LazyFrame, carried: pl.LazyFrame, *, window: Window
) -> pl.LazyFrame:
    """Close the queries that ended on the day, and keep those open that went on after it.

    Args:
        sql_query_history_bronze: Queries that started on the day, and those that went on; what
            is told of them may have happened later.
        carried: Queries open when the day began.
        window: The day.
    """
    told = sql_query_history_bronze.filter(pl.col("query_start_time_ms") < window.until_ms).select(
        column.name for column in QUERY_COLUMNS
    )
    held = carried.select(
        *QUERY,
        *(pl.col(name).alias(f"_held_{name}") for name in (*OF_START, *INSTANTS)),
        _is_held=pl.lit(value=True),
    )
    known = told.join(held, on=QUERY, how="full", coalesce=True, nulls_equal=True).with_columns(
        *(pl.coalesce(f"_held_{name}", name).alias(name) for name in OF_START),
        _ended_ms=_ended_ms(),
        _forgotten_ms=pl.col("query_start_time_ms") + FOLLOWED_MS,
    )
    is_over = (pl.col("_ended_ms") < window.until_ms).fill_null(value=False)
    is_forgotten = ~is_over & (pl.col("_forgotten_ms") < window.until_ms)
    decided_ms = pl.when(is_over).then("_ended_ms").when(is_forgotten).then("_forgotten_ms")
    reason = pl.when(is_over).then(pl.lit(EVENT)).when(is_forgotten).then(pl.lit(VANISHED))
    last_ms = pl.max_horizontal("_ended_ms", "query_start_time_ms")
    ended_before = is_over & pl.col("_is_held").is_null() & (last_ms < window.since_ms)
    while_open = {"status": pl.lit(RUNNING), "is_final": pl.lit(value=False)}
    while_open |= {name: _so_far(name, window) for name in INSTANTS}
    names = (*(column.name for column in COLUMNS), "is_open", DECIDED_MS, LEFT_OUT)
    return known.with_columns(
        *(
            pl.when(is_over).then(name).otherwise(while_open.get(name)).alias(name)
            for name in OF_END
        ),
        # What ended earlier is revealed on the day.
        decided_ms.clip(lower_bound=window.since_ms).alias(DECIDED_MS),
        pl.when(ended_before).then(pl.lit(ENDED_BEFORE)).alias(LEFT_OUT),
        end_imputed=is_forgotten,
        end_reason=reason,
        is_open=~is_over & ~is_forgotten,
    ).select(names)


def _so_far(instant: str, window: Window) -> pl.Expr:
    """An instant that was known when the day ended."""
    told = pl.when(pl.col(instant) < window.until_ms).then(instant)
    return pl.coalesce(f"_held_{instant}", told)


def _ended_ms() -> pl.Expr:
    """When a query was over; of one that is over without an instant, when its duration is."""
    is_final = pl.col("status").is_in(FINAL)
    after = pl.when(is_final).then(pl.col("query_start_time_ms") + pl.col("duration"))
    return pl.coalesce("query_end_time_ms", "execution_end_time_ms", after)
