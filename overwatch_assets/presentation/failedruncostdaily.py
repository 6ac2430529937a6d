"""What job runs cost that did not succeed, as consumers query it."""

from collections.abc import Mapping

import polars as pl

from overwatch_assets.expressions import cost_days_sql
from overwatch_assets.expressions.cost_days import (
    COST_REASON,
    DATE,
    UNKNOWN_ROWS,
    run_days,
    summed_by,
)
from overwatch_assets.expressions.cost_sums import COST_COLUMNS, known_sum, with_totals
from overwatch_assets.module import ORGANIZATION_ID, RUN_COLUMNS, Column
from overwatch_assets.sql_dialect import Dialect
from overwatch_assets.view import DerivedView

SUCCEEDED = "Succeeded"

JOB_DAY = ("organization_id", "date", "job_id", "terminal_state")


def failed_run_cost_daily(jobruncostpotentialfact_gold: pl.LazyFrame, *, zone: str) -> pl.LazyFrame:
    """A row per job, way of ending and day on which such runs went on."""
    ended = run_days(
        jobruncostpotentialfact_gold.filter(
            ~pl.col("is_open"), pl.col("terminal_state").ne_missing(SUCCEEDED)
        ),
        zone,
    )
    runs = ended.group_by(JOB_DAY).agg(runs=pl.col("run_id").n_unique().cast(pl.Int64))
    return (
        summed_by(ended, *JOB_DAY, amount=known_sum, named=["job_name"])
        .join(runs, on=list(JOB_DAY), nulls_equal=True)
        .pipe(with_totals)
    )


def _sql(dialect: Dialect) -> Mapping[str, str]:
    runs = "count(distinct run_id) as runs"
    return {
        **cost_days_sql.run_days(dialect),
        "failed": "select * from run_days where not is_open "  # noqa: S608 - a literal
        f"and coalesce(terminal_state, '') <> {SUCCEEDED!r}",
        "jobs_by_day": cost_days_sql.summed_by(
            dialect, "failed", JOB_DAY, named=["job_name"], more=runs
        ),
        "shown": cost_days_sql.with_totals("jobs_by_day"),
    }


VIEW = DerivedView(
    name="failedRunCostDaily",
    columns=(
        ORGANIZATION_ID,
        RUN_COLUMNS[-1],
        DATE,
        Column("job_id", pl.Int64, "Job; null where nothing names it."),
        Column("job_name", pl.String, "Its name."),
        Column(
            "terminal_state",
            pl.String,
            "How the runs ended: Failed, Cancelled, TimedOut, ...; null where nothing tells.",
        ),
        Column("runs", pl.Int64, "Task runs that ended so and went on on the day."),
        *COST_COLUMNS,
        UNKNOWN_ROWS,
        COST_REASON,
    ),
    rows=failed_run_cost_daily,
    sql=_sql,
    doc=(
        "One row per job, way in which its runs failed to succeed, and calendar day on "
        "which they went on. Runs that are open have not failed yet."
    ),
)
