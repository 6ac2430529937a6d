"""What clusters and runs cost by calendar day, for the views that tell of days.

A state costs the same in each of its moments, so a day has the part of it that lies in the day.
A run's days are those of the states it bore (`daily_costs`). Both add up to the whole.
"""

from collections.abc import Callable, Sequence

import polars as pl

from overwatch_assets.expressions.arithmetic import quotient
from overwatch_assets.expressions.cost_shares import day_pieces
from overwatch_assets.expressions.cost_sums import SUMMED, all_or_null, reasons_of
from overwatch_assets.expressions.durations import date_of, stop_ms
from overwatch_assets.module import Column

Amount = Callable[[pl.Expr], pl.Expr]

DATE = Column("date", pl.Date, "Calendar day in the configured time zone.")
UNKNOWN_ROWS = Column(
    "unknown_rows",
    pl.Int64,
    "Rows beneath of which a cost is not known: so many are missing in the sums.",
)
COST_REASON = Column(
    "cost_reason", pl.String, "Why a cost is null or incomplete; null: all is known."
)

UNKNOWN_COST = "unknown_cost"
"""Why a cost is null where its state names no reason."""

NO_STATES = "no_cluster_states"
"""Why a cost is null where no state of the cluster is known."""

CLUSTER_DAY = ("organization_id", "cluster_id", "date")

OF_RUN = ("organization_id", "run_id", "partition_date")


def state_days(clusterstatefact_gold: pl.LazyFrame, zone: str) -> pl.LazyFrame:
    """States by day: their columns, `date`, and the amounts of that day."""
    length_ms = pl.col("_state_until_ms") - pl.col("_state_since_ms")
    share = quotient(pl.col("_piece_until_ms") - pl.col("_piece_since_ms"), length_ms)
    return (
        day_pieces(
            clusterstatefact_gold.with_columns(
                _state_since_ms="unixTimeMS_state_start",
                _state_until_ms=stop_ms(pl.col("unixTimeMS_state_end"), pl.col("is_open")),
            ).filter(length_ms > 0),
            zone,
            "_state_since_ms",
            "_state_until_ms",
        )
        .with_columns(
            *(pl.col(name) * share for name in SUMMED),
            date="_day",
            cost_reason=_reason("cost_reason"),
        )
        .select(
            *("organization_id", "workspace_name", "cluster_id", "cluster_name", "custom_tags"),
            *("date", *SUMMED, "cost_reason", "is_open"),
        )
    )


def run_days(jobruncostpotentialfact_gold: pl.LazyFrame, zone: str) -> pl.LazyFrame:
    """Runs by day: their columns, `date`, and the amounts of that day.

    Days in which a run went on without a state of its cluster (not `_is_borne`) have a row with
    nulls and the reason.
    """
    runs = jobruncostpotentialfact_gold
    told = pl.col("daily_costs").list.eval(pl.element().struct.field("date"))
    none = pl.lit([], pl.List(pl.Date))
    # Polars 2.1 panics where `set_union` unites lists in several chunks, as files are read.
    both = pl.concat_list(pl.coalesce(_days_touched(zone), none), pl.coalesce(told, none))
    amounts = (
        runs.select(*OF_RUN, "daily_costs")
        .explode("daily_costs")
        .unnest("daily_costs")
        .with_columns(_is_borne=pl.lit(value=True))
    )
    return (
        runs.drop(*SUMMED)
        .rename({"cost_reason": "_of_run"})
        .with_columns(date=both.list.unique(maintain_order=True))
        .explode("date")
        .join(amounts, on=[*OF_RUN, "date"], how="left")
        .with_columns(cost_reason=_reason("cost_reason", "_of_run", without=NO_STATES))
        .drop("_of_run")
    )


def summed_by(
    rows: pl.LazyFrame, *by: str, amount: Amount, named: Sequence[str] = ()
) -> pl.LazyFrame:
    """Amounts by some columns, with what is lacking of them and whether they may still change.

    Args:
        rows: With `cost_reason` and `is_open`.
        by: Columns that a group has in common.
        amount: What a sum is where a part is unknown.
        named: Columns that tell of a group; of several the last in the alphabet.
    """
    is_unknown = pl.any_horizontal(pl.col(name).is_null() for name in SUMMED)
    return (
        rows.with_columns(_is_unknown=is_unknown)
        .sort(*by, *SUMMED)
        .group_by(by, maintain_order=True)
        .agg(
            pl.col("workspace_name", *named).max(),
            *(amount(pl.col(name)) for name in SUMMED),
            unknown_rows=pl.col("_is_unknown").sum().cast(pl.Int64),
            cost_reason=reasons_of(pl.col("cost_reason")),
            is_open=pl.col("is_open").any(),
        )
    )


def _days_touched(zone: str) -> pl.Expr:
    """Days of a run up to that of its end; one that is open lasts to the end of its row's day."""
    time = pl.col("task_runtime").struct
    since_ms = time.field("startEpochMS")
    first, ended = date_of(since_ms, zone), date_of(time.field("endEpochMS") - 1, zone)
    last = pl.when("is_open").then("partition_date").otherwise(ended)
    days = pl.date_ranges(first, pl.max_horizontal(first, last))
    return pl.when(since_ms.is_not_null()).then(days)


def idle_days(
    clusterstatefact_gold: pl.LazyFrame, jobruncostpotentialfact_gold: pl.LazyFrame, zone: str
) -> pl.LazyFrame:
    """Clusters by day: what their states cost, `_run_` what runs bear, and `_idle_` the rest.

    An unknown part of a day leaves all of it unknown: else it would look idle. A rest below zero
    would be an error of the shares, so it stands as it is.
    """
    of_states = summed_by(
        state_days(clusterstatefact_gold, zone),
        *CLUSTER_DAY,
        named=["cluster_name"],
        amount=all_or_null,
    )
    borne = run_days(jobruncostpotentialfact_gold, zone).filter(pl.col("_is_borne"))
    of_runs = summed_by(borne, *CLUSTER_DAY, amount=all_or_null).select(
        *CLUSTER_DAY,
        *(pl.col(name).alias(f"_run_{name}") for name in SUMMED),
        _is_open_run="is_open",
    )
    is_used = pl.col("_is_open_run").is_not_null()
    return (
        of_states.join(of_runs, on=list(CLUSTER_DAY), how="left")
        .with_columns(
            *(
                pl.when(is_used).then(f"_run_{name}").otherwise(0.0).alias(f"_run_{name}")
                for name in SUMMED
            ),
            is_open=pl.col("is_open") | pl.col("_is_open_run").fill_null(value=False),
        )
        .with_columns(
            (pl.col(name) - pl.col(f"_run_{name}")).alias(f"_idle_{name}") for name in SUMMED
        )
        .drop("_is_open_run")
    )


def _reason(*told: str, without: str = UNKNOWN_COST) -> pl.Expr:
    """Why an amount of a row is null; null where all are known."""
    lacking = pl.any_horizontal(pl.col(name).is_null() for name in SUMMED)
    return pl.when(lacking).then(pl.coalesce(*told, pl.lit(without)))
