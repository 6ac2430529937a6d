"""What states cost, as far as it is alike for clusters and SQL warehouses.

A state lasts up to the start of the next one, a millisecond more than its stored end. What was
resolved when it began is kept while it is open: `_held_...` is what its open row of the day before
says, and `_is_held` tells that the state began earlier, so that no version tells of then any more.
"""

from collections.abc import Mapping, Sequence

import polars as pl

from overwatch_assets.expressions.arithmetic import quotient
from overwatch_assets.expressions.durations import HOUR_MS, stop_ms
from overwatch_assets.expressions.price_keys import folded
from overwatch_assets.expressions.price_lookup import with_valid
from overwatch_assets.module import LEFT_OUT, PARTITION_DATE, Column, Window

CLUSTER_STATE = ("cluster_id", "unixTimeMS_state_start", "state", "seq")
WAREHOUSE_STATE = ("warehouse_id", "unixTimeMS_state_start", "state", "seq")
"""What names a state."""

CLUSTER_AMOUNTS = (
    "worker_potential_core_H",
    "driver_dbus",
    "worker_dbus",
    "total_dbus",
    "core_hours",
    "driver_compute_cost",
    "worker_compute_cost",
    "driver_dbu_cost",
    "worker_dbu_cost",
    "total_compute_cost",
    "total_DBU_cost",
    "total_driver_cost",
    "total_worker_cost",
    "total_cost",
)
"""What grows with the length of a cluster's state."""

WAREHOUSE_AMOUNTS = ("worker_potential_core_H", "driver_dbus", "total_dbu_cost")
"""What grows with the length of a warehouse's state."""

UPTIME = (
    Column("uptime_in_state_S", pl.Float64, "From start to the next state's in s."),
    Column("uptime_in_state_H", pl.Float64, "From start to the next state's in h."),
)
GROWING = (
    "unixTimeMS_state_end",
    "timestamp_state_end",
    "uptime_since_restart_S",
    *(column.name for column in UPTIME),
    "state_dates",
    "days_in_state",
    "end_imputed",
)
"""What grows while a state is open, beside its amounts."""

STATE_MS = stop_ms(pl.col("unixTimeMS_state_end"), pl.col("is_open")) - pl.col(
    "unixTimeMS_state_start"
)


def with_uptime(states: pl.LazyFrame, *sizes: str) -> pl.LazyFrame:
    """States as their table has them, with how long they lasted.

    Args:
        states: Of a day.
        sizes: Columns: what names the entity, and its sizes.
    """
    return states.select(
        *sizes,
        *("unixTimeMS_state_start", "state", "seq", "state_start_date", "unixTimeMS_state_end"),
        *("timestamp_state_start", "timestamp_state_end", "uptime_since_restart_S"),
        *("cloud_billable", "databricks_billable", "state_dates", "days_in_state"),
        *("end_imputed", "is_open", PARTITION_DATE.name),
        uptime_in_state_S=quotient(STATE_MS, 1_000),
        uptime_in_state_H=quotient(STATE_MS, HOUR_MS),
    )


def with_held(
    states: pl.LazyFrame,
    carried: pl.LazyFrame,
    resolved: Sequence[str],
    window: Window,
    *,
    entity: str,
) -> pl.LazyFrame:
    """States with what the open state of their entity had resolved, and `_is_held`.

    Args:
        states: Of a day.
        carried: Open when it began: one per entity.
        resolved: Columns that hold for all of a state.
        window: The day.
        entity: Column that names what the states are of.
    """
    own = carried.select(entity, *(pl.col(name).alias(f"_held_{name}") for name in resolved))
    began_before = pl.col("unixTimeMS_state_start") < window.since_ms
    return states.join(
        own.with_columns(_has_held=pl.lit(value=True)), on=entity, how="left"
    ).with_columns(_is_held=began_before & pl.col("_has_held"))


def kept(name: str, found: pl.Expr) -> pl.Expr:
    """What the state was given when it began, else what is found."""
    return pl.when("_is_held").then(pl.coalesce(f"_held_{name}", found)).otherwise(found)


def with_dbu_price(
    states: pl.LazyFrame, kind: pl.Expr, sku_choice: pl.LazyFrame, dbucostdetails: pl.LazyFrame
) -> pl.LazyFrame:
    """States with `_sku` and `_dbu_rate`, USD per DBU: the fallback where the sku has no price.

    Args:
        states: With the instant at which they began.
        kind: What decides the sku; null: nothing tells.
        sku_choice: Sku and fallback of each kind.
        dbucostdetails: Prices of DBUs over time.
    """
    at = pl.col("timestamp_state_start")
    priced = with_valid(
        states,
        sku_choice,
        key=kind,
        reference_key=pl.col("cluster_kind"),
        at=at,
        columns={"_chosen": pl.col("sku"), "_fallback": pl.col("fallback_sku")},
    )
    for key, price in (("_chosen", "_price"), ("_fallback", "_fallback_price")):
        priced = with_valid(
            priced,
            dbucostdetails,
            key=folded(pl.col(key)),
            reference_key=folded(pl.col("sku")),
            at=at,
            columns={price: pl.col("contract_price")},
        )
    falls_back = pl.col("_price").is_null() & pl.col("_fallback_price").is_not_null()
    return priced.with_columns(
        _sku=pl.when(falls_back).then("_fallback").otherwise("_chosen"),
        _dbu_rate=pl.coalesce("_price", "_fallback_price"),
    )


def amount(counts: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """An amount, 0 where it does not count; unknown stays null."""
    return pl.when(counts).then(whole).otherwise(0.0)


def dbu_cost(dbus: str) -> pl.Expr:
    """USD for DBUs; none cost nothing, whatever their rate."""
    return amount(pl.col(dbus).ne_missing(0.0), pl.col(dbus) * pl.col("dbu_rate"))


def reasons_told(reasons: Mapping[str, pl.Expr]) -> pl.Expr:
    """The reasons that apply to a row, with commas; null where none does."""
    told = [pl.when(applies).then(pl.lit(reason)) for reason, applies in reasons.items()]
    listed = pl.concat_str(told, separator=", ", ignore_nulls=True)
    return pl.when(listed != "").then(listed)


def unpriced(states: pl.LazyFrame, entity: str, looked_up: Sequence[str]) -> pl.LazyFrame:
    """A count for each state without a cost, by what to look for in the price tables."""
    told = pl.concat_str(*(pl.col(name).fill_null("-") for name in looked_up), separator=" / ")
    reason = pl.format("without cost ({}): {}", told, pl.col("cost_reason"))
    return states.filter(pl.col("cost_reason").is_not_null()).select(entity, reason.alias(LEFT_OUT))
