"""Sums of costs: their parts, their totals, and what a sum is when a part is unknown."""

import polars as pl

from overwatch_assets.module import Column

SUMMED = (
    "driver_compute_cost",
    "driver_dbu_cost",
    "worker_compute_cost",
    "worker_dbu_cost",
    "total_dbus",
)
"""Amounts of which everything that costs has its own; all other costs are sums of them."""

DRIVER_COMPUTE, DRIVER_DBU, WORKER_COMPUTE, WORKER_DBU = map(pl.col, SUMMED[:4])

COST_COLUMNS = (
    Column("driver_compute_cost", pl.Float64, "USD for drivers' machines; null: unknown."),
    Column("driver_dbu_cost", pl.Float64, "USD for drivers' DBUs; null: unknown."),
    Column("worker_compute_cost", pl.Float64, "USD for workers' machines; null: unknown."),
    Column("worker_dbu_cost", pl.Float64, "USD for workers' DBUs; null: unknown."),
    Column("total_driver_cost", pl.Float64, "Drivers: machines and DBUs, USD."),
    Column("total_worker_cost", pl.Float64, "Workers: machines and DBUs, USD."),
    Column("total_compute_cost", pl.Float64, "Machines of drivers and workers, USD."),
    Column("total_dbu_cost", pl.Float64, "DBUs of drivers and workers, USD."),
    Column("total_cost", pl.Float64, "Machines and DBUs, USD; null where a part is unknown."),
    Column("total_dbus", pl.Float64, "DBUs; null: unknown."),
)
"""What views of costs show."""


def with_totals(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Rows with the totals of their parts; what is unknown makes its totals unknown."""
    return rows.with_columns(
        total_driver_cost=DRIVER_COMPUTE + DRIVER_DBU,
        total_worker_cost=WORKER_COMPUTE + WORKER_DBU,
        total_compute_cost=DRIVER_COMPUTE + WORKER_COMPUTE,
        total_dbu_cost=DRIVER_DBU + WORKER_DBU,
        total_cost=(DRIVER_COMPUTE + WORKER_COMPUTE) + (DRIVER_DBU + WORKER_DBU),
    )


def all_or_null(amount: pl.Expr) -> pl.Expr:
    """The sum in a group; null where a part is unknown, because what is unknown is no zero."""
    return pl.when(~amount.is_null().any()).then(amount.sum())


def known_sum(amount: pl.Expr) -> pl.Expr:
    """The sum of what is known in a group; null where nothing is."""
    return pl.when(amount.is_not_null().any()).then(amount.sum())


def reasons_of(reason: pl.Expr) -> pl.Expr:
    """The reasons in a group, each once and in order; null where there are none.

    A row may have several of them, with commas.
    """
    named = reason.drop_nulls().str.split(", ").explode().unique().sort()
    return pl.when(named.len() > 0).then(named.str.join(", "))
