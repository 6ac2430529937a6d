"""What clusters cost, by what it was spent on: job runs, and idle time told in one of three ways.

Whatever way idle time is told in, rows add up to the same total: what runs bear and what none
bears. What is not known is in no sum; `unknown_rows` counts it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import polars as pl

from overwatch_assets.expressions.arithmetic import quotient
from overwatch_assets.expressions.cost_days import CLUSTER_DAY, idle_days, run_days, state_days
from overwatch_assets.expressions.cost_sums import SUMMED, known_sum, with_totals
from overwatch_assets.expressions.tags import tags_of

USED, IDLE, NOT_SHOWN = "job_runs", "idle", "not_shown"


class Idle(StrEnum):
    """What becomes of what no run bears."""

    SEPARATE = "separate"
    """Rows of its own, by cluster, workspace and tag, where these are asked for."""
    SHARE = "share"
    """Borne by the runs on its cluster on the day, in proportion to their costs. Where there is no
    run that costs, or not all is known, it stays a row of its own."""
    HIDE = "hide"
    """One row of what is not shown."""


class Step(StrEnum):
    """How long a row's time is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    WINDOW = "window"


@dataclass(frozen=True, slots=True)
class By:
    """What rows are told apart by.

    Attributes:
        keys: Columns that tell them apart.
        named: Columns that tell of a row besides; of several texts the last in the alphabet.
        of_idle: Whether idle time has them, too.
    """

    keys: tuple[str, ...]
    named: tuple[str, ...] = ()
    of_idle: bool = False


WORKSPACE = By(("organization_id",), ("workspace_name",), of_idle=True)
CLUSTER = By((*WORKSPACE.keys, "cluster_id"), (*WORKSPACE.named, "cluster_name"), of_idle=True)
JOB = By((*WORKSPACE.keys, "job_id"), (*WORKSPACE.named, "job_name"))
USER = By(("user",))
TAGS = By(("tags",), of_idle=True)
KINDS = {"workspace": WORKSPACE, "cluster": CLUSTER, "job": JOB, "user": USER, "tag": TAGS}
"""What is asked for -> what tells rows apart. A tag is asked for by its key, too."""

_OF_RUNS = ("job_id", "job_name", "user")
_COMMON = (
    "organization_id",
    "workspace_name",
    "date",
    "cluster_id",
    "cluster_name",
    "tags",
    *SUMMED,
    "is_open",
)


def allocated(
    clusterstatefact_gold: pl.LazyFrame,
    jobruncostpotentialfact_gold: pl.LazyFrame,
    *,
    zone: str,
    first: date,
    last: date,
    by: Sequence[By] = (),
    tag_keys: Sequence[str] = (),
    step: Step = Step.WINDOW,
    idle: Idle = Idle.SEPARATE,
) -> pl.LazyFrame:
    """Costs of a stretch of days.

    Args:
        clusterstatefact_gold: States, as a view shows them.
        jobruncostpotentialfact_gold: Runs, as a view shows them.
        zone: IANA name of the time zone that divides days.
        first: First day.
        last: Last day.
        by: What rows are told apart by.
        tag_keys: Keys of tags whose values tell rows apart, too; a column each.
        step: How long a row's time is.
        idle: What becomes of what no run bears.
    """
    in_window = pl.col("date").is_between(first, last)
    tags = _tags(clusterstatefact_gold, zone)
    runs = (
        run_days(jobruncostpotentialfact_gold, zone)
        .filter(in_window)
        .join(tags, on=list(CLUSTER_DAY), how="left")
        .with_columns(
            user="submitted_by", tags=pl.coalesce("tags", "cluster_tags"), spent_on=pl.lit(USED)
        )
        .select(*_COMMON, *_OF_RUNS, "spent_on")
    )
    unused = (
        idle_days(clusterstatefact_gold, jobruncostpotentialfact_gold, zone)
        .filter(in_window)
        .join(tags, on=list(CLUSTER_DAY), how="left")
        .with_columns(
            *(pl.col(f"_idle_{name}").alias(name) for name in SUMMED), spent_on=pl.lit(IDLE)
        )
        .select(*_COMMON, "spent_on")
    )
    match idle:
        case Idle.SEPARATE:
            rows = pl.concat([runs, unused], how="diagonal")
        case Idle.SHARE:
            rows = _shared(runs, unused)
        case Idle.HIDE:
            rows = pl.concat([runs, _hidden(unused)], how="diagonal")
    keys = [*dict.fromkeys(key for each in by for key in each.keys)]
    of_tags = [tag_column(key) for key in tag_keys]
    named = [*dict.fromkeys(name for each in by for name in each.named)]
    is_unknown = pl.any_horizontal(pl.col(name).is_null() for name in SUMMED)
    return (
        rows.with_columns(
            _step_of(step, first),
            *(_value_of(key) for key in tag_keys),
            _is_unknown=is_unknown,
        )
        .group_by("date", *keys, *of_tags, "spent_on")
        .agg(
            *(pl.col(name).max() for name in named),
            *(known_sum(pl.col(name)) for name in SUMMED),
            unknown_rows=pl.col("_is_unknown").sum().cast(pl.Int64),
            is_open=pl.col("is_open").any(),
        )
        .pipe(with_totals)
        .select(
            "date",
            *keys,
            *named,
            *of_tags,
            "spent_on",
            "total_compute_cost",
            "total_dbu_cost",
            "total_cost",
            "total_dbus",
            "unknown_rows",
            "is_open",
        )
        .sort("date", -pl.col("total_cost"), *keys, *of_tags, "spent_on", nulls_last=True)
    )


def _tags(states: pl.LazyFrame, zone: str) -> pl.LazyFrame:
    """Tags of each cluster on each day; where they changed, the last in the alphabet."""
    return state_days(states, zone).group_by(CLUSTER_DAY).agg(tags=pl.col("custom_tags").max())


def _hidden(unused: pl.LazyFrame) -> pl.LazyFrame:
    return unused.select("date", *SUMMED, "is_open", spent_on=pl.lit(NOT_SHOWN))


def _shared(runs: pl.LazyFrame, unused: pl.LazyFrame) -> pl.LazyFrame:
    """Runs that bear the idle time beside them, and idle time beside which there is no run."""
    weight = pl.sum_horizontal(SUMMED[:4], ignore_nulls=False)
    known = pl.when(weight > 0).then(weight).otherwise(0.0)
    weighted = runs.with_columns(_weight=known).with_columns(
        _part=quotient(pl.col("_weight"), pl.col("_weight").sum().over(CLUSTER_DAY))
    )
    bearing = weighted.filter(pl.col("_weight") > 0).select(CLUSTER_DAY).unique()
    beside = (
        unused.drop_nulls(SUMMED)
        .join(bearing, on=list(CLUSTER_DAY), how="semi")
        .select(*CLUSTER_DAY, *(pl.col(name).alias(f"_more_{name}") for name in SUMMED))
    )
    more = {name: pl.col(f"_more_{name}") * pl.col("_part") for name in SUMMED}
    is_bearing = pl.col("_weight") > 0
    return pl.concat(
        [
            weighted.join(beside, on=list(CLUSTER_DAY), how="left")
            .with_columns(
                pl.when(is_bearing).then(pl.col(name) + each.fill_null(0.0)).otherwise(name)
                for name, each in more.items()
            )
            .select(runs.collect_schema().names()),
            unused.join(beside, on=list(CLUSTER_DAY), how="anti"),
        ],
        how="diagonal",
    )


def tag_column(key: str) -> str:
    """Column of a tag's values."""
    return f"tag:{key}"


def _step_of(step: Step, first: date) -> pl.Expr:
    match step:
        case Step.DAY:
            return pl.col("date")
        case Step.WEEK:
            return pl.col("date").dt.truncate("1w")
        case Step.MONTH:
            return pl.col("date").dt.truncate("1mo")
        case Step.WINDOW:
            return pl.lit(first).alias("date")


def _value_of(key: str) -> pl.Expr:
    """The value of one tag; null where it is missing, or where none could be."""
    tags = tags_of(pl.col("tags"))
    of_key = pl.element().struct.field("tag_key") == key
    value = pl.element().filter(of_key).struct.field("tag_value")
    return tags.list.eval(value).list.first().alias(tag_column(key))
