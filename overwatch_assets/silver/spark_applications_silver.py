"""Spark applications: one row per Spark context, from its first event to its end.

Hardly any context says when it ends: Databricks logs have no application end, and a killed
driver writes nothing. So the end is revealed by the first of

- the application's own end event (`application_end`),
- the first event of a later context on the same cluster (`replaced`; the context then ended
  with its own last event),
- thirty days without an event (`expired`).

Logs hold a few events after that. A context closes once an hour has passed since the end was
revealed and no event of its own has come within that hour; each one that comes starts the hour
anew. That instant is `closedMS`. It decides the row's day, and what is still open in the
context closes with it. Events after it count for nothing.
"""

import polars as pl

from overwatch_assets.expressions.durations import RUN_TIME, run_time
from overwatch_assets.expressions.spark_columns import CLUSTER_ID, SPARK_CONTEXT_ID
from overwatch_assets.module import (
    DECIDED_MS,
    Carried,
    Column,
    Day,
    Grain,
    History,
    Scope,
    Window,
    module,
)

GRACE_MS = 60 * 60 * 1000
"""How long a revealed end waits for stragglers."""

SILENCE_MS = 30 * 24 * 60 * 60 * 1000
"""How long a context may be silent before it counts as ended."""

APPLICATION_END, REPLACED, EXPIRED = REASONS = ("application_end", "replaced", "expired")
"""Ways an end is revealed; at the same instant the first one holds."""

CONTEXT = "SparkContextID"

COLUMNS = (
    CLUSTER_ID,
    SPARK_CONTEXT_ID,
    Column(
        "applicationId",
        pl.String,
        "Application id from the application's start event; null where the log has none.",
    ),
    Column("applicationName", pl.String, "Application's name; null without a start event."),
    Column("sparkUser", pl.String, "User that runs the driver; null without a start event."),
    Column(
        "ApplicationRunTime",
        RUN_TIME,
        "First event to end, in epoch ms and UTC, and the time between in ms, s, min and h; "
        "the end and the time are null while open.",
    ),
    Column("firstEventMS", pl.Int64, "First event of the context, epoch ms."),
    Column("lastEventMS", pl.Int64, "Last event that counts, so far, epoch ms."),
    Column(
        "revealedMS",
        pl.Int64,
        "Instant at which the end became known, epoch ms; null while nothing has shown it.",
    ),
    Column("endMS", pl.Int64, "End of the application, epoch ms; null while it isn't known."),
    Column(
        "closedMS",
        pl.Int64,
        "Instant from which the context's events count for nothing, epoch ms: an hour after "
        "revealedMS, or after the last event that came within the hour. Null while open.",
    ),
    Column("startTimestamp", pl.Int64, "Start, epoch ms: the context's first event."),
    Column(
        "end_imputed",
        pl.Boolean,
        "No event of the application told the end. False while open.",
    ),
    Column(
        "end_reason",
        pl.String,
        "What revealed the end: application_end, replaced or expired. Null until it is revealed, "
        "set on an open row that waits for stragglers.",
    ),
)


def _contexts_seen(spark_events_bronze: pl.LazyFrame, carried: pl.LazyFrame) -> pl.LazyFrame:
    """Contexts with events on the day that were not open when it began."""
    seen = spark_events_bronze.select(CONTEXT).unique()
    return seen.join(carried.select(CONTEXT), on=CONTEXT, how="anti")


@module(
    module_id=2004,
    name="Silver_SPARK_Applications",
    scope=Scope.SPARK_EVENTS,
    grain=Grain.INTERVAL,
    columns=COLUMNS,
    keys=(CONTEXT,),
    reads={
        "spark_events_bronze": Day(),
        "carried": Carried(),
        "closed_before": History(wanted=_contexts_seen, columns=(CONTEXT,)),
    },
    provisional=(
        "clusterId",
        "ApplicationRunTime",
        "lastEventMS",
        "revealedMS",
        "endMS",
        "closedMS",
        "end_imputed",
        "end_reason",
    ),
)
def spark_applications_silver(
    spark_events_bronze: pl.LazyFrame,
    carried: pl.LazyFrame,
    closed_before: pl.LazyFrame,
    *,
    window: Window,
) -> pl.LazyFrame:
    """Carry contexts on, take up new ones, close those whose hour has passed.

    Args:
        spark_events_bronze: The day's events, in any order.
        carried: Contexts open when the day began.
        closed_before: Contexts that had closed before; their events decide nothing.
        window: The day.
    """
    events = spark_events_bronze.join(closed_before, on=CONTEXT, how="anti")
    known = _known(events, carried)
    revealed = _revealed(known, _ends_told(events), window)
    followed = revealed.join(_events_around_the_end(events, revealed), on=CONTEXT, how="left")
    last_ms = (
        pl.when(pl.col("revealedMS").is_null())
        .then(pl.max_horizontal("_last_before_day", "_last_of_day"))
        .otherwise(pl.max_horizontal("_last_before_day", "_last_before_end", "_last_straggler"))
    )
    closes_ms = pl.max_horizontal("revealedMS", "_last_before_day", "_last_straggler") + GRACE_MS
    closed_ms = pl.when(pl.col("revealedMS").is_not_null() & (closes_ms < window.until_ms)).then(
        closes_ms
    )
    return followed.with_columns(lastEventMS=last_ms, closedMS=closed_ms).select(_row())


def _known(events: pl.LazyFrame, carried: pl.LazyFrame) -> pl.LazyFrame:
    """One row per context: what the days before knew, with what this one adds."""
    today = events.group_by(CONTEXT).agg(
        pl.col("clusterId").min(),
        _first_of_day=pl.col("eventTimeMS").min(),
        _last_of_day=pl.col("eventTimeMS").max(),
    )
    started = (
        events.filter(pl.col("Event") == "SparkListenerApplicationStart")
        .sort("eventTimeMS")
        .unique(CONTEXT, keep="first", maintain_order=True)
        .select(
            CONTEXT,
            applicationId=pl.col("applicationInfo").struct.field("AppID"),
            applicationName=pl.col("applicationInfo").struct.field("AppName"),
            sparkUser=pl.col("applicationInfo").struct.field("User"),
        )
    )
    before = carried.select(
        CONTEXT,
        "clusterId",
        "applicationId",
        "applicationName",
        "sparkUser",
        "firstEventMS",
        "revealedMS",
        "end_reason",
        _last_before_day="lastEventMS",
    )
    named = ("applicationId", "applicationName", "sparkUser")
    return (
        before.join(today, on=CONTEXT, how="full", coalesce=True, suffix="_of_day")
        .join(started, on=CONTEXT, how="left", suffix="_of_day")
        .with_columns(
            pl.min_horizontal("clusterId", "clusterId_of_day").alias("clusterId"),
            pl.coalesce("firstEventMS", "_first_of_day").alias("firstEventMS"),
            *(pl.coalesce(name, f"{name}_of_day").alias(name) for name in named),
        )
    )


def _ends_told(events: pl.LazyFrame) -> pl.LazyFrame:
    """The application's own end, per context that has one on the day."""
    ends = events.filter(pl.col("Event") == "SparkListenerApplicationEnd")
    return ends.group_by(CONTEXT).agg(pl.col("eventTimeMS").min().alias(APPLICATION_END))


def _revealed(known: pl.LazyFrame, ends_told: pl.LazyFrame, window: Window) -> pl.LazyFrame:
    """Contexts with `revealedMS` and `end_reason`, null where the end is not known yet.

    Each way an end may be revealed is a column of `REASONS` with its instant, or null.
    """
    silent_until = pl.col("_last_before_day") + SILENCE_MS
    is_silent = pl.col("_first_of_day").is_null() | (pl.col("_first_of_day") >= silent_until)
    candidates = (
        known.join(ends_told, on=CONTEXT, how="left")
        .join(_successors(known, window), on=["clusterId", "firstEventMS"], how="left")
        .with_columns(
            pl.when(is_silent & (silent_until < window.until_ms)).then(silent_until).alias(EXPIRED)
        )
    )
    earliest = pl.min_horizontal(*REASONS)
    reasons = [pl.when(pl.col(each) == earliest).then(pl.lit(each)) for each in REASONS]
    return candidates.with_columns(
        end_reason=pl.coalesce("end_reason", *reasons),
        revealedMS=pl.coalesce("revealedMS", earliest),
    )


def _successors(known: pl.LazyFrame, window: Window) -> pl.LazyFrame:
    """Per cluster and first event of a context, the first event of the next context.

    A context whose cluster became known only today can't have been replaced before today.
    """
    firsts = known.select("clusterId", "firstEventMS").drop_nulls().unique().sort("firstEventMS")
    following = pl.col("firstEventMS").shift(-1).over("clusterId")
    replaced = pl.max_horizontal(following, pl.lit(window.since_ms, pl.Int64))
    return firsts.with_columns(pl.when(following.is_not_null()).then(replaced).alias(REPLACED))


def _events_around_the_end(events: pl.LazyFrame, revealed: pl.LazyFrame) -> pl.LazyFrame:
    """Per context with a revealed end: its last event before that, and its last straggler.

    Stragglers follow the revealed end, and each other, in less than the grace.
    """
    time = pl.col("eventTimeMS")
    ends = revealed.filter(pl.col("revealedMS").is_not_null()).select(
        CONTEXT, "revealedMS", _since=pl.max_horizontal("revealedMS", "_last_before_day")
    )
    around = events.select(CONTEXT, "eventTimeMS").join(ends, on=CONTEXT)
    before = (
        around.filter(time < pl.col("revealedMS"))
        .group_by(CONTEXT)
        .agg(_last_before_end=time.max())
    )
    waited = time - pl.coalesce(time.shift(1).over(CONTEXT), "_since")
    stragglers = (
        around.filter(time >= pl.col("revealedMS"))
        .sort("eventTimeMS")
        .with_columns(_waited=waited)
        .filter((pl.col("_waited") >= GRACE_MS).cum_sum().over(CONTEXT) == 0)
        .group_by(CONTEXT)
        .agg(_last_straggler=time.max())
    )
    return before.join(stragglers, on=CONTEXT, how="full", coalesce=True)


def _row() -> list[pl.Expr]:
    """The declared columns, from what was found out about a context."""
    is_closed = pl.col("closedMS").is_not_null()
    ended_with_last_event = pl.when(is_closed).then("lastEventMS")
    end_ms = (
        pl.when(pl.col("end_reason") == REPLACED)
        .then(ended_with_last_event)
        .otherwise("revealedMS")
    )
    run_end_ms = pl.when(is_closed).then(pl.max_horizontal("firstEventMS", end_ms))
    return [
        *map(pl.col, ("clusterId", CONTEXT, "applicationId", "applicationName", "sparkUser")),
        run_time(pl.col("firstEventMS"), run_end_ms).alias("ApplicationRunTime"),
        *map(pl.col, ("firstEventMS", "lastEventMS", "revealedMS")),
        end_ms.alias("endMS"),
        pl.col("closedMS"),
        pl.col("firstEventMS").alias("startTimestamp"),
        (is_closed & (pl.col("end_reason") != APPLICATION_END)).alias("end_imputed"),
        pl.col("end_reason"),
        (~is_closed).alias("is_open"),
        pl.col("closedMS").alias(DECIDED_MS),
    ]
