"""What users' job runs cost by day, as consumers query it."""

from collections.abc import Mapping

import polars as pl

from overwatch_assets.expressions import cost_days_sql
from overwatch_assets.expressions.cost_days import (
    COST_REASON,
    DATE,
    UNKNOWN_ROWS,
    idle_days,
    run_days,
    summed_by,
)
from overwatch_assets.expressions.cost_sums import COST_COLUMNS, SUMMED, known_sum, with_totals
from overwatch_assets.module import IS_OPEN, ORGANIZATION_ID, RUN_COLUMNS, Column
from overwatch_assets.sql_dialect import Dialect
from overwatch_assets.view import DerivedView

USER_DAY = ("organization_id", "date", "submitted_by", "spent_on")

JOB_RUNS, IDLE = "job_runs", "idle"


def user_cost_daily(
    clusterstatefact_gold: pl.LazyFrame, jobruncostpotentialfact_gold: pl.LazyFrame, *, zone: str
) -> pl.LazyFrame:
    """A row per user and day, and a row per day for what no run bears."""
    of_users = run_days(jobruncostpotentialfact_gold, zone).with_columns(spent_on=pl.lit(JOB_RUNS))
    idle = idle_days(clusterstatefact_gold, jobruncostpotentialfact_gold, zone).with_columns(
        *(pl.col(f"_idle_{name}").alias(name) for name in SUMMED),
        submitted_by=pl.lit(None, pl.String),
        spent_on=pl.lit(IDLE),
    )
    shown = (*USER_DAY, "workspace_name", *SUMMED, "cost_reason", "is_open")
    both = pl.concat([of_users.select(shown), idle.select(shown)])
    return summed_by(both, *USER_DAY, amount=known_sum).pipe(with_totals)


def _sql(dialect: Dialect) -> Mapping[str, str]:
    both = ("organization_id", "workspace_name", "date", "cost_reason", "is_open")
    common = ", ".join(both)
    of_runs, idle = ", ".join(SUMMED), ", ".join(f"_idle_{name}" for name in SUMMED)
    return {
        **cost_days_sql.idle_days(dialect),
        "spent": f"select {common}, submitted_by, {JOB_RUNS!r} as spent_on, {of_runs} "  # noqa: S608 - names of columns
        f"from run_days union all select {common}, null, {IDLE!r}, {idle} from idle_days",
        "users_by_day": cost_days_sql.summed_by(dialect, "spent", USER_DAY),
        "shown": cost_days_sql.with_totals("users_by_day"),
    }


VIEW = DerivedView(
    name="userCostDaily",
    columns=(
        ORGANIZATION_ID,
        RUN_COLUMNS[-1],
        DATE,
        Column("submitted_by", pl.String, "User who asked for the runs; null: nobody is known."),
        Column(
            "spent_on",
            pl.String,
            "job_runs: what the user's runs bear; idle: what no run bears, without a user.",
        ),
        *COST_COLUMNS,
        UNKNOWN_ROWS,
        COST_REASON,
        IS_OPEN,
    ),
    rows=user_cost_daily,
    sql=_sql,
    doc=(
        "One row per user and calendar day, and one for what no job run bears. Together "
        "they are what clusters cost, as far as it is known."
    ),
)
