"""Which Spark job a task belongs to, and with it to which job run, notebook and user.

A stage may be listed by several jobs: one that reuses a stage lists it and skips it. A task
belongs to the first-started job that lists its stage and was running when the task started. So
it belongs to one job or to none, and a task counts once in any sum over jobs.
"""

import polars as pl

STAGE = ("spark_context_id", "stage_id")


def owned_stages(sparkjob_gold: pl.LazyFrame) -> pl.LazyFrame:
    """Jobs by the stages they list, with `_owned_since_ms`, `_owned_until_ms`.

    Of two jobs that list a stage at the same time the later one owns it from the end of the
    first on; while a job runs its end is null. A job without a known start owns nothing.
    """
    since, until = pl.col("_since_ms"), pl.col("_until_ms")
    before = until.fill_null(pl.Int64.max()).cum_max().shift(1)
    return (
        sparkjob_gold.with_columns(
            _since_ms="unixTimeMS",
            _until_ms=pl.col("job_runtime").struct.field("endEpochMS"),
        )
        .drop_nulls("_since_ms")
        .explode("stage_ids")
        .rename({"stage_ids": "stage_id"})
        .sort("_since_ms", "job_id")
        .with_columns(_owned_since_ms=pl.max_horizontal(since, before.over(STAGE)))
        .rename({"_until_ms": "_owned_until_ms"})
        .drop("_since_ms")
    )


def owned_tasks(sparktask_gold: pl.LazyFrame, stages: pl.LazyFrame) -> pl.LazyFrame:
    """Tasks with the columns of the stage's owner when they started; without one, left out.

    Args:
        sparktask_gold: Tasks; `unixTimeMS` is their start.
        stages: As `owned_stages` gives them, or a part of their rows and columns.
    """
    started = pl.col("unixTimeMS")
    until = pl.col("_owned_until_ms")
    return (
        sparktask_gold.join(stages, on=list(STAGE))
        .filter(started >= pl.col("_owned_since_ms"), until.is_null() | (started < until))
        .drop("_owned_since_ms", "_owned_until_ms")
    )
