"""Notebook commands: one row per command that was run in a notebook, with what its cluster cost.

Only verbose audit logs tell of commands; without them the table stays empty. A row belongs to the
day of its event, which is told when the command ends: it ran for `execution_time_s` before
`unixTimeMS`. `estimated_dbu_cost` is for the DBUs of the whole cluster in that time: commands that
run at once each have all of it. Where it is null, `cost_reason` says why.

A command that is told twice, by a request and its answer, is one row.
"""

import polars as pl

from overwatch_assets.expressions import audit
from overwatch_assets.expressions.arithmetic import quotient
from overwatch_assets.expressions.cost_days import NO_STATES, UNKNOWN_COST
from overwatch_assets.expressions.cost_shares import states_met
from overwatch_assets.expressions.cost_sums import all_or_null, reasons_of
from overwatch_assets.expressions.durations import date_of, stop_ms, timestamp_of
from overwatch_assets.expressions.rules import keeps_rows, remedy, within
from overwatch_assets.expressions.versions_at import version_at
from overwatch_assets.module import (
    HOLDS,
    LEFT_OUT,
    TIMESTAMP,
    AsOf,
    Column,
    Day,
    Grain,
    Overlap,
    Rule,
    Scope,
    Window,
    module,
)

COMMAND = ("notebook_id", "command_id", "unixTimeMS")
LONGEST_S = 366 * 86_400
"""What is told to have taken longer is not believed."""

TIME_UNKNOWN, NO_CLUSTER = "execution_time_unknown", "no_cluster"

OF_STATE = ("cluster_name", "custom_tags", "node_type_id", "node_count")
"""What a row shows of the state in which the command ran longest."""

USER_IDENTITY = pl.Struct({"email": pl.String, "subjectName": pl.String})

COLUMNS = (
    Column("date", pl.Date, "Day of the command's end, UTC."),
    Column("timestamp", TIMESTAMP, "End of the command, UTC."),
    Column("notebook_id", pl.String, "Notebook."),
    Column(
        "notebook_path",
        pl.String,
        "Path before the event, else the next one told on the day; null: neither is known.",
    ),
    Column("notebook_name", pl.String, "Name, by the same rule."),
    Column("command_id", pl.String, "Command, as told."),
    Column("command_text", pl.String, "What was run; secrets are struck out. Null: not told."),
    Column(
        "execution_time_s",
        pl.Float64,
        "Seconds it took; null: not told, or no credible number.",
    ),
    Column("source_ip_address", pl.String, "Address of the user; null: not told."),
    Column("user_identity", USER_IDENTITY, "Who ran it; null: nobody is named."),
    Column(
        "estimated_dbu_cost",
        pl.Float64,
        "USD for the DBUs of the whole cluster while it ran, not shared with commands that ran at "
        "the same time; null: see cost_reason.",
    ),
    Column("status", pl.String, "How it ended, as told: finished, failed, cancelled, ..."),
    Column("cluster_id", pl.String, "Cluster it ran on; null: the event names none."),
    Column("cluster_name", pl.String, "Name in the state in which it ran longest."),
    Column("custom_tags", pl.String, "Tags of the cluster in that state, a JSON object."),
    Column("node_type_id", pl.String, "Node type of the workers then; null for a single node."),
    Column("node_count", pl.Int64, "Workers in service then; null: no state is known."),
    Column("response", audit.RESPONSE, "Answer to the request; null: none told."),
    Column("user_agent", pl.String, "Client; null: not told."),
    Column("unixTimeMS", pl.Int64, "End of the command, epoch ms: when the event was told."),
    Column(
        "uncovered_S",
        pl.Float64,
        "Seconds of it in which no state of its cluster is known: they cost nothing here.",
    ),
    Column(
        "cost_reason",
        pl.String,
        "Why the cost is null: execution_time_unknown, no_cluster, no_cluster_states, or what is "
        "unknown of the cluster. Null: it is known.",
    ),
)


def _explained(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Commands whose cost is null exactly where there is a reason, and nothing is less than 0."""
    usd, uncovered = pl.col("estimated_dbu_cost"), pl.col("uncovered_S")
    is_possible = (usd.fill_null(0) >= 0) & (uncovered.fill_null(0) >= 0)
    is_explained = usd.is_null() == pl.col("cost_reason").is_not_null()
    return rows.select(*COMMAND, "estimated_dbu_cost", (is_possible & is_explained).alias(HOLDS))


def _within_cluster(rows: pl.LazyFrame, clusterstatefact_gold: pl.LazyFrame) -> pl.LazyFrame:
    """The dearest command of each cluster, and what all states cost that were read."""
    states = clusterstatefact_gold.group_by("cluster_id").agg(
        cluster_usd=all_or_null(pl.col("total_DBU_cost"))
    )
    dearest = rows.group_by("cluster_id").agg(command_usd=pl.col("estimated_dbu_cost").max())
    is_less = within(pl.col("command_usd"), pl.col("cluster_usd"))
    return dearest.join(states, on="cluster_id").with_columns(is_less.alias(HOLDS))


RULES = (
    keeps_rows(
        "audit_log_bronze",
        by={"notebook_id": audit.parameters("notebookId").struct.field("notebookId")},
        where=audit.is_command(),
        with_counted=True,
    ),
    Rule(
        name="unknown_is_null",
        doc="a cost is null exactly where a reason says why, and never less than 0",
        compared=_explained,
        by=COMMAND,
        remedy=remedy("clusterstatefact_gold"),
    ),
    Rule(
        name="commands_cost_no_more_than_clusters",
        doc="no command costs more than its cluster's states together",
        compared=_within_cluster,
        by=("cluster_id",),
        remedy=remedy("clusterstatefact_gold"),
    ),
)


def _earliest_start(audit_log_bronze: pl.LazyFrame) -> pl.LazyFrame:
    return _told(audit_log_bronze).select("_run_since_ms")


@module(
    module_id=3019,
    name="Gold_NotebookCommands",
    scope=Scope.NOTEBOOK_COMMANDS,
    grain=Grain.EVENT,
    columns=COLUMNS,
    keys=COMMAND,
    reads={
        "audit_log_bronze": Day(),
        "clusterstatefact_gold": Overlap(since=_earliest_start),
        "notebook_silver": AsOf(),
    },
    decided_by="unixTimeMS",
    rules=RULES,
)
def notebookcommands_gold(
    audit_log_bronze: pl.LazyFrame,
    clusterstatefact_gold: pl.LazyFrame,
    notebook_silver: pl.LazyFrame,
    *,
    window: Window,  # noqa: ARG001 - every transform is given its day
) -> pl.LazyFrame:
    """Find the states that each command met, and add up what they cost meanwhile.

    Every state that began before a command's end is closed or open by the day's end, and what an
    open one costs per hour is final. So the cost is, too.

    Args:
        audit_log_bronze: The day's events.
        clusterstatefact_gold: Closed states since the earliest start, and the day's open ones.
        notebook_silver: What notebooks were called when the day began, and their events on it.
        window: The day.
    """
    # Plans that are used twice would be run twice.
    told = _told(audit_log_bronze).cache()
    is_known = pl.all_horizontal(pl.col(name).is_not_null() for name in COMMAND)
    identified = told.filter(is_known).sort(
        pl.col("execution_time_s").is_null(),
        pl.col("cluster_id").is_null(),
        "requestId",
        "hashKey",
        nulls_last=True,
    )
    commands = identified.unique(COMMAND, keep="first", maintain_order=True).cache()
    named = commands
    for name in ("name", "path"):
        named = named.join(_called(commands, notebook_silver, name), on=list(COMMAND), how="left")
    rows = named.join(_costs(commands, clusterstatefact_gold), on=list(COMMAND), how="left")
    stored = rows.with_columns(
        uncovered_S=_uncovered_s(),
        cost_reason=_reason(),
        date=date_of(pl.col("unixTimeMS")),
        timestamp=timestamp_of(pl.col("unixTimeMS")),
    ).select(column.name for column in COLUMNS)
    repeated = identified.group_by(COMMAND).agg(pl.len() - 1).filter(pl.col("len") > 0)
    left_out = pl.concat(
        [
            told.filter(~is_known).select("notebook_id", _why_left_out().alias(LEFT_OUT)),
            repeated.select(
                "notebook_id", pl.lit("told_again").repeat_by("len").alias(LEFT_OUT)
            ).explode(LEFT_OUT),
        ]
    )
    return pl.concat([stored, left_out], how="diagonal")


def _told(audit_log_bronze: pl.LazyFrame) -> pl.LazyFrame:
    """Commands as each event tells them, with the time in which they ran."""
    said = pl.col("_said").struct
    seconds = said.field("executionTime").cast(pl.Float64, strict=False)
    is_credible = seconds.is_between(0, LONGEST_S).fill_null(value=False)
    lasted_ms = (pl.col("execution_time_s") * 1000).round().cast(pl.Int64)
    return (
        audit_log_bronze.filter(audit.is_command())
        .with_columns(
            audit.parameters(
                "notebookId", "commandId", "commandText", "executionTime", "status", "clusterId"
            ).alias("_said")
        )
        .select(
            "requestId",
            "hashKey",
            audit.response(),
            notebook_id=said.field("notebookId"),
            command_id=said.field("commandId"),
            command_text=said.field("commandText"),
            execution_time_s=pl.when(is_credible).then(seconds),
            status=said.field("status"),
            cluster_id=said.field("clusterId"),
            source_ip_address="sourceIPAddress",
            user_identity="userIdentity",
            user_agent="userAgent",
            unixTimeMS="timestamp",
        )
        .with_columns(_run_since_ms=pl.col("unixTimeMS") - lasted_ms)
    )


def _why_left_out() -> pl.Expr:
    lacks_notebook = pl.col("notebook_id").is_null()
    return pl.when(lacks_notebook).then(pl.lit("no_notebook_id")).otherwise(pl.lit("no_command_id"))


def _called(commands: pl.LazyFrame, notebook_silver: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """What each command's notebook was called; an event that leaves it nameless tells nothing."""
    effective = f"effective_{name}"
    versions = notebook_silver.filter(pl.col(effective).is_not_null()).select(
        "timestamp", "seq", pl.col(effective).alias(f"notebook_{name}"), _notebook="notebookId"
    )
    asked = commands.select(*COMMAND, _notebook="notebook_id", _at="unixTimeMS")
    return version_at(asked, versions, entity="_notebook", at="_at")


def _costs(commands: pl.LazyFrame, clusterstatefact_gold: pl.LazyFrame) -> pl.LazyFrame:
    """What each command's cluster cost while it ran, of those that met any state of it.

    A command that took no time met the state of its instant, and cost nothing.
    """
    states = clusterstatefact_gold.select(
        "cluster_id",
        "cluster_name",
        "custom_tags",
        "total_DBU_cost",
        node_type_id=pl.coalesce("node_type_id", pl.col("workerSpecs").struct.field("API_Name")),
        node_count="current_num_workers",
        _state_reason="cost_reason",
        _state_since_ms="unixTimeMS_state_start",
        _state_until_ms=stop_ms(pl.col("unixTimeMS_state_end"), pl.col("is_open")),
    )
    since, until = pl.col("_run_since_ms"), pl.col("unixTimeMS")
    spans = commands.drop_nulls(["cluster_id", "_run_since_ms"]).select(
        *COMMAND, "cluster_id", "_run_since_ms", _run_until_ms=pl.max_horizontal(until, since + 1)
    )
    spent_ms = pl.min_horizontal("_state_until_ms", until) - pl.max_horizontal(
        "_state_since_ms", since
    )
    state_ms = pl.col("_state_until_ms") - pl.col("_state_since_ms")
    has_lasted = pl.col("_spent_ms") > 0
    cost = pl.col("total_DBU_cost") * quotient(pl.col("_spent_ms"), state_ms)
    is_unknown = has_lasted & pl.col("total_DBU_cost").is_null()
    reason = pl.coalesce("_state_reason", pl.lit(UNKNOWN_COST))
    return (
        states_met(spans, states)
        .with_columns(_spent_ms=spent_ms)
        .with_columns(
            _cost=pl.when(has_lasted).then(cost).otherwise(0.0),
            _reason=pl.when(is_unknown).then(reason),
        )
        .sort(*COMMAND, "_spent_ms", "_state_since_ms")
        .group_by(COMMAND, maintain_order=True)
        .agg(
            pl.col(OF_STATE).last(),
            estimated_dbu_cost=all_or_null(pl.col("_cost")),
            _covered_ms=pl.col("_spent_ms").sum(),
            _state_reasons=reasons_of(pl.col("_reason")),
        )
    )


def _uncovered_s() -> pl.Expr:
    ran_ms = pl.col("unixTimeMS") - pl.col("_run_since_ms")
    uncovered_ms = ran_ms - pl.col("_covered_ms").fill_null(0)
    return pl.when(pl.col("cluster_id").is_not_null()).then(quotient(uncovered_ms, 1000))


def _reason() -> pl.Expr:
    """Why the cost is null: what keeps the command from having any, else what its states lack."""
    return (
        pl.when(pl.col("execution_time_s").is_null())
        .then(pl.lit(TIME_UNKNOWN))
        .when(pl.col("cluster_id").is_null())
        .then(pl.lit(NO_CLUSTER))
        .when(pl.col("_covered_ms").is_null())
        .then(pl.lit(NO_STATES))
        .otherwise("_state_reasons")
    )
