"""What users' notebook commands cost by day, as consumers query it."""

import polars as pl

from overwatch_assets.expressions.arithmetic import quotient
from overwatch_assets.expressions.cost_days import COST_REASON, DATE
from overwatch_assets.expressions.cost_shares import day_pieces, share_of_state, shared, states_met
from overwatch_assets.expressions.cost_sums import all_or_null, known_sum, reasons_of
from overwatch_assets.expressions.durations import stop_ms
from overwatch_assets.module import ORGANIZATION_ID, RUN_COLUMNS, Column
from overwatch_assets.view import DerivedView

OF_GROUP = ("organization_id", "date", "notebook_id", "user_email")
COSTS = ("estimated_dbu_cost", "shared_dbu_cost")


def notebook_user_cost_daily(
    notebookcommands_gold: pl.LazyFrame, clusterstatefact_gold: pl.LazyFrame, *, zone: str
) -> pl.LazyFrame:
    """A row per notebook, user and day on which commands of the user ran in the notebook."""
    lasted_ms = (pl.col("execution_time_s") * 1000).round().cast(pl.Int64)
    commands = (
        notebookcommands_gold.sort("organization_id", "notebook_id", "command_id", "unixTimeMS")
        .with_row_index("run_id")
        .with_columns(
            pl.col("run_id").cast(pl.Int64),
            cluster_id=_within_workspace(),
            user_email=pl.col("user_identity").struct.field("email"),
            _run_since_ms=pl.col("unixTimeMS") - lasted_ms.fill_null(0),
            _run_until_ms="unixTimeMS",
        )
        .cache()
    )
    days = day_pieces(commands, zone, "_run_since_ms", "_run_until_ms")
    lasted = quotient(pl.col("_piece_until_ms") - pl.col("_piece_since_ms"), 1000)
    # Where all is known, a day without a state costs nothing: its time is uncovered.
    nothing = pl.when(pl.col("estimated_dbu_cost").is_not_null()).then(0.0)
    of_days = days.join(
        _costs(commands, clusterstatefact_gold, zone), on=["run_id", "_day"], how="left"
    ).with_columns(pl.coalesce(f"_{name}", nothing).alias(f"_{name}") for name in COSTS)
    is_unknown = pl.col("_estimated_dbu_cost").is_null()
    return (
        of_days.with_columns(
            date="_day",
            execution_time_S=pl.when(pl.col("execution_time_s").is_not_null()).then(lasted),
            cost_reason=pl.when(is_unknown).then("cost_reason"),
        )
        .sort("unixTimeMS", "run_id")
        .group_by(OF_GROUP, maintain_order=True)
        .agg(
            pl.col("workspace_name", "notebook_name", "notebook_path").last(),
            known_sum(pl.col("execution_time_S")),
            *(known_sum(pl.col(f"_{name}")).alias(name) for name in COSTS),
            commands=pl.len().cast(pl.Int64),
            unknown_commands=is_unknown.sum().cast(pl.Int64),
            cost_reason=reasons_of(pl.col("cost_reason")),
        )
    )


def _costs(commands: pl.LazyFrame, clusterstatefact_gold: pl.LazyFrame, zone: str) -> pl.LazyFrame:
    """Costs of commands by day: of their whole clusters, and shared with others of the moment."""
    states = clusterstatefact_gold.select(
        "total_DBU_cost",
        cluster_id=_within_workspace(),
        _state_since_ms="unixTimeMS_state_start",
        _state_until_ms=stop_ms(pl.col("unixTimeMS_state_end"), pl.col("is_open")),
    )
    spans = commands.filter(
        pl.col("cluster_id").is_not_null(), pl.col("_run_until_ms") > pl.col("_run_since_ms")
    ).select("run_id", "cluster_id", "_run_since_ms", "_run_until_ms")
    met = states_met(spans, states).with_columns(
        _since_ms=pl.max_horizontal("_state_since_ms", "_run_since_ms"),
        _until_ms=pl.min_horizontal("_state_until_ms", "_run_until_ms"),
    )
    piece_ms = pl.col("_piece_until_ms") - pl.col("_piece_since_ms")
    state_ms = pl.col("_state_until_ms") - pl.col("_state_since_ms")
    usd = pl.col("total_DBU_cost")
    return (
        shared(day_pieces(met, zone))
        .with_columns(
            _estimated_dbu_cost=usd * quotient(piece_ms, state_ms),
            _shared_dbu_cost=usd * share_of_state(),
        )
        .sort("run_id", "_day", "_state_since_ms")
        .group_by("run_id", "_day", maintain_order=True)
        .agg(all_or_null(pl.col(f"_{name}")) for name in COSTS)
    )


def _within_workspace() -> pl.Expr:
    """A cluster's id that no cluster of another workspace has."""
    return pl.concat_str("organization_id", pl.lit("/"), "cluster_id")


VIEW = DerivedView(
    name="notebookUserCostDaily",
    columns=(
        ORGANIZATION_ID,
        RUN_COLUMNS[-1],
        DATE,
        Column("notebook_id", pl.String, "Notebook."),
        Column("notebook_name", pl.String, "Its name at the last of the commands."),
        Column("notebook_path", pl.String, "Its path then."),
        Column("user_email", pl.String, "Who ran the commands; null: nobody is named."),
        Column("commands", pl.Int64, "Commands that ran on the day, for a moment at least."),
        Column("execution_time_S", pl.Float64, "Their seconds on the day; null: none is known."),
        Column(
            "estimated_dbu_cost",
            pl.Float64,
            "USD for the DBUs of their clusters meanwhile, as in notebookCommands: commands that "
            "ran at once each have all of it. Null: none is known.",
        ),
        Column(
            "shared_dbu_cost",
            pl.Float64,
            "The same in USD, each moment shared evenly by the commands that ran on the cluster "
            "then: together never more than the cluster's DBUs cost. Null: none is known.",
        ),
        Column(
            "unknown_commands",
            pl.Int64,
            "Commands of which the cost is not known: so many are missing in the sums.",
        ),
        COST_REASON,
    ),
    rows=notebook_user_cost_daily,
    doc=(
        "One row per notebook, user and calendar day with commands, where verbose audit logs are "
        "on. Job runs on the same cluster bear the same time too (userCostDaily): what both cost "
        "does not add up."
    ),
)
