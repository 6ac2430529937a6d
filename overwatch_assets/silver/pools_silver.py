"""Instance pools: one row per change of a pool's settings, from the change on.

A row belongs to the day of the change. What a request does not say is as it was before; what was
never said is as a capture shows it. Pools older than the audit log are known from captures, as
`snapImpute`: on the workspace's first day from its start on, later from the capture on. A deletion
is a row of its own and repeats the last settings.
"""

import polars as pl

from overwatch_assets.expressions import audit
from overwatch_assets.expressions.durations import DAY_MS, date_of, timestamp_of
from overwatch_assets.expressions.entity_versions import (
    FROM,
    IS_DELETION,
    RANK,
    SEQ,
    TOLD,
    concerned,
    held_before,
    rank_of,
    settled,
)
from overwatch_assets.expressions.json_texts import json_text, texts_in
from overwatch_assets.expressions.pool_columns import POOL_COLUMNS
from overwatch_assets.module import (
    LEFT_OUT,
    Captures,
    Carried,
    Column,
    Day,
    Grain,
    Scope,
    Timeline,
    Window,
    module,
)

POOL = "instance_pool_id"
RANKS = {"create": 0, "edit": 1, "delete": 2}
REMEMBERED_MS = 60 * DAY_MS
"""How long a deleted pool is looked up."""

TEXT_SETTINGS = ("instance_pool_name", "node_type_id", "preloaded_spark_versions")
NUMBERS = ("idle_instance_autotermination_minutes", "min_idle_instances", "max_capacity")
MAPS = ("aws_attributes", "azure_attributes", "gcp_attributes", "custom_tags")
SETTINGS = (*TEXT_SETTINGS, *NUMBERS, *MAPS)

COLUMNS = (
    *POOL_COLUMNS,
    Column("requestId", pl.String, "Request of the change; null: a capture, or not told."),
    Column("seq", pl.Int64, "Position among the pool's rows of the same millisecond."),
)

HELD = tuple(column.name for column in COLUMNS if column.name not in ("serviceName", "date", SEQ))
"""What a version of the day before hands on."""


def _forgotten(until_ms: int) -> pl.Expr:
    is_old = pl.col("timestamp") < until_ms - REMEMBERED_MS
    return (pl.col("actionName") == "delete") & is_old


@module(
    module_id=2009,
    name="Silver_PoolsSpec",
    scope=Scope.POOLS,
    grain=Grain.VERSION,
    columns=COLUMNS,
    keys=("instance_pool_id", "timestamp", "actionName", "requestId"),
    reads={
        "audit_log_bronze": Day(),
        "pools_snapshot_bronze": Captures(),
        "carried": Carried(),
    },
    decided_by="timestamp",
    timeline=Timeline(entity=(POOL,), order=("timestamp", SEQ), forgotten=_forgotten),
)
def pools_silver(
    audit_log_bronze: pl.LazyFrame,
    pools_snapshot_bronze: pl.LazyFrame,
    carried: pl.LazyFrame,
    *,
    window: Window,
) -> pl.LazyFrame:
    """Follow each pool's settings through the day.

    Args:
        audit_log_bronze: The day's events; those of pools that were carried out count.
        pools_snapshot_bronze: The day's captures and the closing ones; one per pool and day.
        carried: Each pool's latest version before the day.
        window: The day.
    """
    shown = _shown(pools_snapshot_bronze)
    told = _told(audit_log_bronze)
    known = concerned(carried, told, shown, POOL)
    versions = settled(
        held_before(known, HELD, pl.col("actionName") == "delete"),
        told,
        shown,
        SETTINGS,
        entity=POOL,
        window=window,
        passed_on=["create_details"],
    )
    named = versions.with_columns(
        serviceName=pl.lit("instancePools"), date=date_of(pl.col("timestamp"))
    ).select(column.name for column in COLUMNS)
    nameless = told.filter(pl.col(POOL).is_null()).select(
        "timestamp", pl.lit("no pool id").alias(LEFT_OUT)
    )
    return pl.concat([named, nameless], how="diagonal")


def _told(audit_log_bronze: pl.LazyFrame) -> pl.LazyFrame:
    """Requests that were carried out, one per key."""
    action = pl.col("actionName")
    said = pl.col("_said").struct
    at = timestamp_of(pl.col("timestamp"))
    created = pl.struct(
        audit.user_email().alias("created_by"),
        pl.col("timestamp").alias("created_at_epochMillis"),
        at.alias("created_at"),
    )
    deleted = pl.struct(
        audit.user_email().alias("deleted_by"),
        pl.col("timestamp").alias("deleted_at_epochMillis"),
        at.alias("deleted_at"),
    )
    is_creation, is_deletion = action == "create", action == "delete"
    return (
        audit_log_bronze.filter(
            pl.col("serviceName") == "instancePools", action.is_in([*RANKS]), audit.is_successful()
        )
        .with_columns(audit.parameters(POOL, *SETTINGS).alias("_said"))
        .select(
            "actionName",
            "timestamp",
            "requestId",
            "hashKey",
            pl.when(is_creation)
            .then(audit.of_result(POOL))
            .otherwise(said.field(POOL))
            .alias(POOL),
            *(said.field(name) for name in TEXT_SETTINGS),
            *(said.field(name).cast(pl.Int64, strict=False) for name in NUMBERS),
            *(texts_in(said.field(name)).alias(name) for name in MAPS),
            pl.when(is_creation).then(created).alias("create_details"),
            pl.when(is_deletion).then(deleted).alias("delete_details"),
            audit.request_details().alias("request_details"),
            rank_of(action, RANKS).alias(RANK),
            is_deletion.alias(IS_DELETION),
            pl.lit(TOLD).alias(FROM),
        )
        .sort("hashKey")
        .unique([POOL, "timestamp", "actionName", "requestId"], keep="last", maintain_order=True)
    )


def _shown(pools_snapshot_bronze: pl.LazyFrame) -> pl.LazyFrame:
    return pools_snapshot_bronze.select(
        POOL,
        "instance_pool_name",
        "node_type_id",
        json_text(pl.col("preloaded_spark_versions")),
        *NUMBERS,
        *MAPS,
        "captured_at_ms",
        "is_closing",
        "is_first_day",
    )
