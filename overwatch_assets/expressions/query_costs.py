"""What SQL queries cost by day: which part of their warehouse's states each of them bears.

Queries share each moment of their warehouse evenly, from when a cluster took them (their compiling
began) to the end of their execution. Waiting bears nothing, nor does fetching the result. What no
query bears is idle. Costs are those of DBUs; a warehouse has no others here.
"""

import polars as pl

from overwatch_assets.expressions.arithmetic import quotient
from overwatch_assets.expressions.cost_days import UNKNOWN_COST
from overwatch_assets.expressions.cost_shares import day_pieces, run_states, share_of_state, shared
from overwatch_assets.expressions.cost_sums import all_or_null, reasons_of
from overwatch_assets.expressions.durations import HOUR_MS, date_of, midnight_ms, stop_ms
from overwatch_assets.module import Column

AMOUNTS = ("total_dbus", "total_dbu_cost")
AMOUNT_COLUMNS = (
    Column("total_dbus", pl.Float64, "DBUs; null: unknown."),
    Column("total_dbu_cost", pl.Float64, "USD for DBUs; null: unknown."),
)
WORK = ("busy_S", "core_hours")
WORK_COLUMNS = (
    Column("busy_S", pl.Float64, "Seconds on the day in which it was executed."),
    Column(
        "core_hours",
        pl.Float64,
        "Hours of all its tasks, over all cores, by the time on the day; null: not told.",
    ),
)
END_UNKNOWN, NO_STATES = "end_unknown", "no_warehouse_states"
"""Why a cost is null: the query vanished, or no state of its warehouse is known."""

QUERY = ("organization_id", "warehouse_id", "query_id", "query_start_time_ms")
WAREHOUSE_DAY = ("organization_id", "warehouse_id", "date")


def query_days(
    sql_query_history_gold: pl.LazyFrame, warehousestatefact_gold: pl.LazyFrame, zone: str
) -> pl.LazyFrame:
    """Queries by day: their columns, `date`, `AMOUNTS` and `WORK` of that day, and `cost_reason`.

    A query has the day on which it was received, and those on which it was executed.
    """
    queries = _with_work(sql_query_history_gold, zone)
    borne = _borne(queries, warehousestatefact_gold, zone)
    started_on = date_of(pl.col("query_start_time_ms"), zone)
    whole_ms = pl.col("_until_ms") - pl.col("_since_ms")
    part = pl.when(whole_ms.is_null()).then(1.0).otherwise(quotient(pl.col("_busy_ms"), whole_ms))
    costs = pl.col("_is_borne")
    vanished = pl.col("end_reason").eq_missing("vanished")
    is_idle = (pl.col("_busy_ms") == 0) & ~vanished
    untold = (
        pl.when(vanished)
        .then(pl.lit(END_UNKNOWN))
        .when(costs)
        .then(pl.coalesce("_state_reason", pl.lit(UNKNOWN_COST)))
        .otherwise(pl.lit(NO_STATES))
    )
    is_unknown = pl.any_horizontal(pl.col(name).is_null() for name in AMOUNTS)
    return (
        queries.join(_days(queries, started_on, zone), on="run_id")
        .join(borne, on=["run_id", "date"], how="left")
        .with_columns(
            pl.when(costs).then(name).when(is_idle).then(0.0).alias(name) for name in AMOUNTS
        )
        .with_columns(
            busy_S=quotient(pl.col("_busy_ms"), 1_000),
            core_hours=quotient(pl.col("task_total_time_ms"), HOUR_MS) * part,
            cost_reason=pl.when(is_unknown).then(untold),
            has_started=pl.col("date") == started_on,
        )
        .select(
            *sql_query_history_gold.collect_schema(),
            *("date", *AMOUNTS, *WORK, "cost_reason", "has_started"),
        )
    )


def _days(queries: pl.LazyFrame, started_on: pl.Expr, zone: str) -> pl.LazyFrame:
    """Days of queries, `run_id` and `date`, with `_busy_ms` of them: 0 of a start that waited."""
    executed = queries.select("run_id", "_since_ms", "_until_ms").drop_nulls()
    busy_ms = pl.col("_piece_until_ms") - pl.col("_piece_since_ms")
    return (
        pl.concat(
            [
                day_pieces(executed, zone).select("run_id", date="_day", _busy_ms=busy_ms),
                queries.select("run_id", date=started_on, _busy_ms=pl.lit(0, pl.Int64)),
            ]
        )
        .group_by("run_id", "date")
        .agg(pl.col("_busy_ms").sum())
    )


def warehouse_days(warehousestatefact_gold: pl.LazyFrame, zone: str) -> pl.LazyFrame:
    """Warehouses by day: `AMOUNTS` of all their states; null where a part is unknown."""
    share = quotient(
        pl.col("_piece_until_ms") - pl.col("_piece_since_ms"),
        pl.col("_state_until_ms") - pl.col("_state_since_ms"),
    )
    is_unknown = pl.any_horizontal(pl.col(name).is_null() for name in AMOUNTS)
    return (
        day_pieces(
            _states(warehousestatefact_gold).filter(
                pl.col("_state_until_ms") > pl.col("_state_since_ms")
            ),
            zone,
            "_state_since_ms",
            "_state_until_ms",
        )
        .with_columns(*(pl.col(name) * share for name in AMOUNTS), date="_day")
        .with_columns(
            cost_reason=pl.when(is_unknown).then(pl.coalesce("_state_reason", pl.lit(UNKNOWN_COST)))
        )
        .sort(*WAREHOUSE_DAY, *AMOUNTS)
        .group_by(WAREHOUSE_DAY, maintain_order=True)
        .agg(
            pl.col("workspace_name", "warehouse_name").max(),
            *(all_or_null(pl.col(name)) for name in AMOUNTS),
            cost_reason=reasons_of(pl.col("cost_reason")),
            is_open=pl.col("is_open").any(),
        )
    )


def idle_days(
    sql_query_history_gold: pl.LazyFrame, warehousestatefact_gold: pl.LazyFrame, zone: str
) -> pl.LazyFrame:
    """Warehouses by day: what they cost, `query_` what queries bear, and `idle_` the rest.

    An unknown part of a day leaves all of it unknown: else it would look idle. A rest below zero
    would be an error of the shares, so it stands as it is.
    """
    queries = _with_work(sql_query_history_gold, zone)
    of_queries = (
        _borne(queries, warehousestatefact_gold, zone)
        .join(queries.select("run_id", *WAREHOUSE_DAY[:2], _is_open="is_open"), on="run_id")
        .sort(*WAREHOUSE_DAY, *AMOUNTS)
        .group_by(WAREHOUSE_DAY, maintain_order=True)
        .agg(
            *(all_or_null(pl.col(name)).alias(f"query_{name}") for name in AMOUNTS),
            _has_open=pl.col("_is_open").any(),
        )
    )
    is_used = pl.col("_has_open").is_not_null()
    return (
        warehouse_days(warehousestatefact_gold, zone)
        .join(of_queries, on=list(WAREHOUSE_DAY), how="left")
        .with_columns(
            *(
                pl.when(is_used).then(f"query_{name}").otherwise(0.0).alias(f"query_{name}")
                for name in AMOUNTS
            ),
            is_open=pl.col("is_open") | pl.col("_has_open").fill_null(value=False),
        )
        .with_columns(
            (pl.col(name) - pl.col(f"query_{name}")).alias(f"idle_{name}") for name in AMOUNTS
        )
        .drop("_has_open")
    )


def _with_work(queries: pl.LazyFrame, zone: str) -> pl.LazyFrame:
    """Queries with a number, `run_id`, and from when to when they were executed.

    Both instants are null for a query that never was, or of which it is not known. One that is
    told to have waited, and not to have been compiled, was never taken by a cluster.
    """
    has_waited = pl.any_horizontal(
        pl.col(f"{what}_queue_start_timestamp").is_not_null()
        for what in ("overloading", "provisioning")
    )
    taken_ms = pl.coalesce(
        "query_compilation_start_timestamp", pl.when(~has_waited).then("query_start_time_ms")
    )
    day_end_ms = midnight_ms(pl.col("partition_date").dt.offset_by("1d"), zone)
    until_ms = pl.coalesce(
        "execution_end_time_ms", "query_end_time_ms", pl.when("is_open").then(day_end_ms)
    )
    is_executed = until_ms > taken_ms
    return (
        queries.sort(*QUERY)
        .with_row_index("run_id")
        .with_columns(
            pl.col("run_id").cast(pl.Int64),
            _since_ms=pl.when(is_executed).then(taken_ms),
            _until_ms=pl.when(is_executed).then(until_ms),
        )
    )


def _borne(queries: pl.LazyFrame, warehousestatefact_gold: pl.LazyFrame, zone: str) -> pl.LazyFrame:
    """What each query bears of its warehouse on each day: `run_id`, `date` and `AMOUNTS`."""
    runs = queries.select(
        "run_id",
        _warehouse(),
        cluster_type=pl.lit(None, pl.String),
        _run_since_ms="_since_ms",
        _run_until_ms="_until_ms",
    ).drop_nulls(["cluster_id", "_run_since_ms"])
    pieces = shared(day_pieces(run_states(runs, _states(warehousestatefact_gold)), zone))
    return (
        pieces.with_columns(*(pl.col(name) * share_of_state() for name in AMOUNTS))
        .sort("run_id", "_day", "_state_since_ms")
        .group_by("run_id", "_day", maintain_order=True)
        .agg(
            *(all_or_null(pl.col(name)) for name in AMOUNTS),
            _state_reason=reasons_of(pl.col("_state_reason")),
        )
        .rename({"_day": "date"})
        .with_columns(_is_borne=pl.lit(value=True))
    )


def _states(warehousestatefact_gold: pl.LazyFrame) -> pl.LazyFrame:
    """States as shares are computed of them."""
    return warehousestatefact_gold.select(
        *("organization_id", "workspace_name", "warehouse_id", "warehouse_name", "is_open"),
        _warehouse(),
        "state",
        _state_since_ms="unixTimeMS_state_start",
        _state_until_ms=stop_ms(pl.col("unixTimeMS_state_end"), pl.col("is_open")),
        total_dbus="driver_dbus",
        total_dbu_cost="total_dbu_cost",
        _state_reason="cost_reason",
    )


def _warehouse() -> pl.Expr:
    """A warehouse of all workspaces, under the name that shares are computed by."""
    return pl.concat_str("organization_id", "warehouse_id", separator="/").alias("cluster_id")
