"""Runs, states and Spark work in literal frames, as the tables that costs are made of have them.

Times are seconds of a Monday; what a row doesn't say is as in the worked example: a cluster of
two workers that costs 1.5825 USD and 2.25 DBUs while it runs for half an hour.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import polars as pl

from overwatch_assets.expressions.durations import run_time
from overwatch_assets.gold.jobruncostpotentialfact_gold import jobruncostpotentialfact_gold
from overwatch_assets.module import Window
from overwatch_assets_tests.frames import Row, table

MONDAY = datetime(2024, 5, 6, tzinfo=UTC)
MONDAY_MS = round(MONDAY.timestamp() * 1000)
DAY_S = 24 * 60 * 60

STARTING = {"driver_compute_cost": 0.0575 / 3, "worker_compute_cost": 0.115 / 3}
RUNNING = {
    "driver_compute_cost": 0.115,
    "worker_compute_cost": 0.23,
    "driver_dbu_cost": 0.4125,
    "worker_dbu_cost": 0.825,
    "total_dbus": 2.25,
    "worker_potential_core_H": 4.0,
}
NOTHING = dict.fromkeys(RUNNING, 0.0)


def at(second: float) -> int:
    """Epoch ms of a second of the Monday."""
    return MONDAY_MS + round(second * 1000)


def day(number: int = 0, *, until: float | None = None) -> Window:
    """A day's window, counted from the Monday; `until` cuts it at a second of the Monday."""
    end = (number + 1) * DAY_S if until is None else until
    since, stop = (datetime.fromtimestamp(at(s) / 1000, UTC) for s in (number * DAY_S, end))
    return Window(since=since, until=stop)


def run(run_id: int, since: float | None, until: float | None = None, **more: object) -> Row:
    """A run on the cluster `c`, open without an end."""
    return {
        "run_id": run_id,
        "job_id": 10,
        "cluster_id": "c",
        "cluster_type": "existing",
        "is_open": until is None,
        "end_imputed": False,
        "_since": None if since is None else at(since),
        "_until": None if until is None else at(until),
        **more,
    }


def state(since: float, until: float, name: str = "RUNNING", /, **more: object) -> Row:
    """A state of the cluster `c`; its end is stored a millisecond early, unless it is open."""
    is_open = bool(more.get("is_open"))
    return {
        "cluster_id": "c",
        "state": name,
        "unixTimeMS_state_start": at(since),
        "unixTimeMS_state_end": at(until) - (not is_open),
        "is_open": is_open,
        "dbu_rate": 0.55,
        "custom_tags": '{"team":"ops"}',
        "driver_node_type_id": "Standard_DS3_v2",
        "node_type_id": "Standard_DS3_v2",
        **NOTHING,
        **(STARTING if name == "STARTING" else RUNNING),
        **more,
    }


def spark_job(job_id: int, since: float, until: float | None, *stages: int, **more: object) -> Row:
    """A Spark job of run 1 of job 10."""
    return {
        "spark_context_id": "x",
        "job_id": job_id,
        "stage_ids": list(stages),
        "unixTimeMS": at(since),
        "db_job_id": "10",
        "db_id_in_job": "1",
        "_since": at(since),
        "_until": None if until is None else at(until),
        **more,
    }


def task(stage: int, since: float, seconds: float, **more: object) -> Row:
    """A finished Spark task."""
    return {
        "spark_context_id": "x",
        "stage_id": stage,
        "unixTimeMS": at(since),
        "is_open": False,
        "end_imputed": False,
        "_since": at(since),
        "_until": at(since + seconds),
        **more,
    }


def timed(name: str, column: str, rows: Sequence[Row]) -> pl.LazyFrame:
    """A table with rows whose run time goes from `_since` to `_until`."""
    spans = ("_since", "_until")
    told = table(name, *({k: v for k, v in row.items() if k not in spans} for row in rows))
    times = pl.LazyFrame(
        [{name: row[name] for name in spans} for row in rows],
        schema=dict.fromkeys(spans, pl.Int64),
    )
    made = run_time(pl.col("_since"), pl.col("_until"))
    return (
        pl.concat([told.drop(column), times], how="horizontal")
        .with_columns(made.alias(column))
        .drop(spans)
    )


def facts(
    runs: Sequence[Row],
    states: Sequence[Row],
    *,
    co_runs: Sequence[Row] | None = None,
    jobs: Sequence[Row] = (),
    tasks: Sequence[Row] = (),
    window: Window | None = None,
) -> pl.DataFrame:
    """Cost rows of a day's runs, by run; the other runs are those of the day unless named."""
    others = runs if co_runs is None else co_runs
    return (
        jobruncostpotentialfact_gold(
            timed("jobrun_gold", "task_runtime", runs),
            table("clusterstatefact_gold", *states),
            timed("jobrun_gold", "task_runtime", others),
            timed("sparkjob_gold", "job_runtime", jobs),
            timed("sparktask_gold", "task_runtime", tasks),
            window=window or day(),
        )
        .sort("run_id")
        .collect(engine="in-memory")
    )


def stored_states(*states: Row) -> pl.LazyFrame:
    """States as they are stored, of the workspace 1 where they name none."""
    of_workspace = {"organization_id": "1", "workspace_name": "demo"}
    return table("clusterstatefact_gold", *({**of_workspace, **each} for each in states))


def stored_facts(rows: pl.DataFrame, organization_id: str = "1") -> pl.LazyFrame:
    """Cost rows as they are stored."""
    return rows.lazy().with_columns(
        organization_id=pl.lit(organization_id),
        workspace_name=pl.lit("demo"),
        partition_date=pl.lit(MONDAY.date()),
    )
