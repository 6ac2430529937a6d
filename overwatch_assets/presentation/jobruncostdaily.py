"""What job runs cost by day, as consumers query it."""

from collections.abc import Mapping

import polars as pl

from overwatch_assets.expressions import cost_days_sql
from overwatch_assets.expressions.cost_days import DATE, run_days
from overwatch_assets.expressions.cost_sums import COST_COLUMNS, with_totals
from overwatch_assets.module import IS_OPEN, ORGANIZATION_ID, PARTITION_DATE, RUN_COLUMNS, Column
from overwatch_assets.sql_dialect import Dialect
from overwatch_assets.view import DerivedView


def job_run_cost_daily(jobruncostpotentialfact_gold: pl.LazyFrame, *, zone: str) -> pl.LazyFrame:
    """A row per run and day."""
    return run_days(jobruncostpotentialfact_gold, zone).pipe(with_totals)


def _sql(dialect: Dialect) -> Mapping[str, str]:
    return {**cost_days_sql.run_days(dialect), "shown": cost_days_sql.with_totals("run_days")}


VIEW = DerivedView(
    name="jobRunCostDaily",
    columns=(
        ORGANIZATION_ID,
        RUN_COLUMNS[-1],
        DATE,
        Column("job_id", pl.Int64, "Job; null where nothing names it."),
        Column("job_name", pl.String, "Name of the job when the run started."),
        Column("run_id", pl.Int64, "Run, as in jobRunCostPotentialFact."),
        Column("job_run_id", pl.Int64, "Run of the job; its runs of tasks have it in common."),
        Column("task_key", pl.String, "Task within the job; null for jobs without tasks."),
        Column("cluster_id", pl.String, "Cluster; null for serverless and DLT."),
        Column("cluster_name", pl.String, "Name of the cluster."),
        Column("cluster_type", pl.String, "`automated` or `interactive`."),
        Column("cluster_tags", pl.String, "Custom tags of the cluster in its last state, JSON."),
        Column("terminal_state", pl.String, "How the run ended; null while open."),
        Column("job_trigger_type", pl.String, "What set it off."),
        Column("task_type", pl.String, "Kind of the task."),
        Column("submitted_by", pl.String, "User who asked for the run; null where unknown."),
        *COST_COLUMNS,
        Column("cost_reason", pl.String, "Why a cost of the day is null; null: all are known."),
        IS_OPEN,
        PARTITION_DATE,
    ),
    rows=job_run_cost_daily,
    sql=_sql,
    doc=(
        "One row per task run and calendar day that it touches; a run's days add up to its "
        "row in jobRunCostPotentialFact. Before the run's first day lies what it bears of its "
        "cluster's start. Days with an open row may still change, and only become cheaper or end."
    ),
)
