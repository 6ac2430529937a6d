"""What clusters cost while no job run used them, as consumers query it."""

from collections.abc import Mapping

import polars as pl

from overwatch_assets.expressions import cost_days_sql
from overwatch_assets.expressions.cost_days import COST_REASON, DATE, idle_days
from overwatch_assets.module import IS_OPEN, ORGANIZATION_ID, RUN_COLUMNS, Column
from overwatch_assets.sql_dialect import Dialect
from overwatch_assets.view import DerivedView

PARTS = {
    "total": ("", "all that the cluster cost on the day"),
    "run": ("_run_", "what its job runs bear of it"),
    "idle": ("_idle_", "what no job run bears"),
}
"""Beginning of shown columns -> that of the amounts, and what they are."""


def cluster_idle_cost_daily(
    clusterstatefact_gold: pl.LazyFrame, jobruncostpotentialfact_gold: pl.LazyFrame, *, zone: str
) -> pl.LazyFrame:
    """A row per cluster and day on which it had a state."""
    days = idle_days(clusterstatefact_gold, jobruncostpotentialfact_gold, zone)
    told = [_told(name, amounts) for name, (amounts, _) in PARTS.items()]
    named = ("organization_id", "workspace_name", "date", "cluster_id", "cluster_name")
    return days.select(
        *named,
        "cost_reason",
        "is_open",
        *(amount.alias(name) for each in told for name, amount in each.items()),
    )


def _told(name: str, amounts: str) -> Mapping[str, pl.Expr]:
    compute = pl.col(f"{amounts}driver_compute_cost") + pl.col(f"{amounts}worker_compute_cost")
    dbu = pl.col(f"{amounts}driver_dbu_cost") + pl.col(f"{amounts}worker_dbu_cost")
    return {
        f"{name}_compute_cost": compute,
        f"{name}_dbu_cost": dbu,
        f"{name}_cost": compute + dbu,
        f"{name}_dbus": pl.col(f"{amounts}total_dbus"),
    }


def _sql(dialect: Dialect) -> Mapping[str, str]:
    named = "organization_id, workspace_name, date, cluster_id, cluster_name, cost_reason, is_open"
    told = [
        f"{amount} as {name}"
        for of, (amounts, _) in PARTS.items()
        for name, amount in {
            f"{of}_compute_cost": f"{amounts}driver_compute_cost + {amounts}worker_compute_cost",
            f"{of}_dbu_cost": f"{amounts}driver_dbu_cost + {amounts}worker_dbu_cost",
            f"{of}_cost": f"({amounts}driver_compute_cost + {amounts}worker_compute_cost)"
            f" + ({amounts}driver_dbu_cost + {amounts}worker_dbu_cost)",
            f"{of}_dbus": f"{amounts}total_dbus",
        }.items()
    ]
    shown = f"select {named}, {', '.join(told)} from idle_days"  # noqa: S608 - names of columns
    return {**cost_days_sql.idle_days(dialect), "shown": shown}


def _columns() -> tuple[Column, ...]:
    told: list[Column] = []
    for name, (_, doc) in PARTS.items():
        told += [
            Column(f"{name}_compute_cost", pl.Float64, f"USD for machines: {doc}."),
            Column(f"{name}_dbu_cost", pl.Float64, f"USD for DBUs: {doc}."),
            Column(f"{name}_cost", pl.Float64, f"USD for machines and DBUs: {doc}."),
            Column(f"{name}_dbus", pl.Float64, f"DBUs: {doc}."),
        ]
    return tuple(told)


VIEW = DerivedView(
    name="clusterIdleCostDaily",
    columns=(
        ORGANIZATION_ID,
        RUN_COLUMNS[-1],
        DATE,
        Column("cluster_id", pl.String, "Cluster."),
        Column("cluster_name", pl.String, "Its name on the day."),
        *_columns(),
        COST_REASON,
        IS_OPEN,
    ),
    rows=cluster_idle_cost_daily,
    sql=_sql,
    doc=(
        "One row per cluster and calendar day. idle_cost is total_cost less run_cost: paid "
        "for, used by no job run; people at notebooks use it too. A day of which a part is "
        "unknown is null as a whole."
    ),
)
