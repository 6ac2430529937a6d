"""SQL warehouses: one row per change of a warehouse's settings, from the change on.

A row belongs to the day of the change. What a request does not say is as it was before; what was
never said is as a capture shows it. Warehouses older than the audit log are known from captures,
as `snapImpute`: on the workspace's first day from its start on, later from the capture on. A
deletion is a row of its own and repeats the last settings. Who made a warehouse, and what it was
doing, only captures tell.
"""

import polars as pl

from overwatch_assets.expressions import audit
from overwatch_assets.expressions.durations import DAY_MS, date_of
from overwatch_assets.expressions.entity_versions import (
    FROM,
    IMPUTED,
    IS_DELETION,
    RANK,
    SEQ,
    TOLD,
    concerned,
    held_before,
    rank_of,
    settled,
)
from overwatch_assets.expressions.json_texts import TEXTS
from overwatch_assets.expressions.tags import warehouse_tags
from overwatch_assets.expressions.warehouse_columns import DELETIONS, shared
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

WAREHOUSE = "warehouse_id"
CREATIONS = ("createEndpoint", "createWarehouse")
RANKS = {
    **dict.fromkeys(CREATIONS, 0),
    "editEndpoint": 1,
    "editWarehouse": 1,
    **dict.fromkeys(DELETIONS, 2),
}
"""Requests that change a warehouse, under their older and their newer names."""

REMEMBERED_MS = 60 * DAY_MS
"""How long a deleted warehouse is looked up."""

TEXT_SETTINGS = ("warehouse_name", "cluster_size", "spot_instance_policy", "warehouse_type")
NUMBERS = ("min_num_clusters", "max_num_clusters", "auto_stop_mins")
FLAGS = ("enable_photon", "enable_serverless_compute")
SETTINGS = (*TEXT_SETTINGS, *NUMBERS, *FLAGS, "channel", "tags")
OF_CAPTURES = (
    "createdBy",
    "warehouse_state",
    "size",
    "auto_resume",
    "creator_id",
    "num_clusters",
    "num_active_sessions",
    "jdbc_url",
    "odbc_params",
)
"""What no request tells, and what changes without one."""

RESPONSE = pl.Struct({"errorMessage": pl.String, "result": pl.String, "statusCode": pl.Int64})

COLUMNS = (
    Column("serviceName", pl.String, "databrickssql; warehouses: a capture told of it."),
    Column(
        "actionName",
        pl.String,
        "createEndpoint, createWarehouse, editEndpoint, editWarehouse, deleteEndpoint, "
        "deleteWarehouse, or snapImpute: a capture told of it.",
    ),
    Column("timestamp", pl.Int64, "Epoch ms from which the settings hold; decides the day."),
    Column("date", pl.Date, "Day of the change, UTC."),
    *shared("warehouse_id", "warehouse_name", "cluster_size"),
    *shared("min_num_clusters", "max_num_clusters", "auto_stop_mins"),
    *shared("spot_instance_policy", "enable_photon", "channel", "tags"),
    *shared("enable_serverless_compute", "warehouse_type"),
    Column("userEmail", pl.String, "Who made the change; null: a capture told of it."),
    Column("requestId", pl.String, "Request of the change; null: a capture, or not told."),
    Column("response", RESPONSE, "Answer to the request; null: a capture told of it."),
    Column("createdBy", pl.String, "Who made the warehouse; null: not a capture."),
    *shared("warehouse_state", "size", "auto_resume", "creator_id"),
    *shared("num_clusters", "num_active_sessions", "jdbc_url"),
    Column("odbc_params", TEXTS, "Settings for ODBC; null: not a capture."),
    Column("seq", pl.Int64, "Position among the warehouse's rows of the same millisecond."),
)

HELD = tuple(column.name for column in COLUMNS if column.name not in ("serviceName", "date", SEQ))
"""What a version of the day before hands on."""


def _forgotten(until_ms: int) -> pl.Expr:
    is_old = pl.col("timestamp") < until_ms - REMEMBERED_MS
    return pl.col("actionName").is_in(DELETIONS) & is_old


@module(
    module_id=2021,
    name="Silver_WarehouseSpec",
    scope=Scope.DBSQL,
    grain=Grain.VERSION,
    columns=COLUMNS,
    keys=("warehouse_id", "timestamp", "actionName"),
    reads={
        "audit_log_bronze": Day(),
        "warehouses_snapshot_bronze": Captures(),
        "carried": Carried(),
    },
    decided_by="timestamp",
    timeline=Timeline(entity=(WAREHOUSE,), order=("timestamp", SEQ), forgotten=_forgotten),
)
def warehouse_spec_silver(
    audit_log_bronze: pl.LazyFrame,
    warehouses_snapshot_bronze: pl.LazyFrame,
    carried: pl.LazyFrame,
    *,
    window: Window,
) -> pl.LazyFrame:
    """Follow each warehouse's settings through the day.

    Args:
        audit_log_bronze: The day's events; those of warehouses that were carried out count.
        warehouses_snapshot_bronze: The day's captures and the closing ones; one per warehouse
            and day.
        carried: Each warehouse's latest version before the day.
        window: The day.
    """
    shown = _shown(warehouses_snapshot_bronze)
    told = _told(audit_log_bronze)
    known = concerned(carried, told, shown, WAREHOUSE)
    versions = settled(
        held_before(known, HELD, pl.col("actionName").is_in(DELETIONS)),
        told,
        shown,
        SETTINGS,
        entity=WAREHOUSE,
        window=window,
        creations=CREATIONS,
    )
    named = versions.with_columns(serviceName=_service(), date=date_of(pl.col("timestamp"))).select(
        column.name for column in COLUMNS
    )
    nameless = told.filter(pl.col(WAREHOUSE).is_null()).select(
        "timestamp", pl.lit("no warehouse id").alias(LEFT_OUT)
    )
    return pl.concat([named, nameless], how="diagonal")


def _service() -> pl.Expr:
    is_imputed = pl.col("actionName") == IMPUTED
    return pl.when(is_imputed).then(pl.lit("warehouses")).otherwise(pl.lit("databrickssql"))


def _told(audit_log_bronze: pl.LazyFrame) -> pl.LazyFrame:
    """Requests that were carried out, one per key."""
    action = pl.col("actionName")
    said = pl.col("_said").struct
    response = pl.col("response").struct
    plain = (name for name in TEXT_SETTINGS if name != "warehouse_name")
    return (
        audit_log_bronze.filter(
            pl.col("serviceName") == "databrickssql",
            action.is_in([*RANKS]),
            audit.is_successful(),
        )
        .with_columns(audit.parameters("id", "name", *SETTINGS).alias("_said"))
        .select(
            "actionName",
            "timestamp",
            "requestId",
            "hashKey",
            pl.when(action.is_in(CREATIONS))
            .then(audit.of_result("id"))
            .otherwise(said.field("id"))
            .alias(WAREHOUSE),
            said.field("name").alias("warehouse_name"),
            *(said.field(name) for name in plain),
            *(said.field(name).cast(pl.Int64, strict=False) for name in NUMBERS),
            *(_flag(said.field(name)) for name in FLAGS),
            said.field("channel").str.json_path_match("$.name").alias("channel"),
            warehouse_tags(said.field("tags")).alias("tags"),
            audit.user_email().alias("userEmail"),
            pl.struct(response.field(field.name) for field in RESPONSE.fields).alias("response"),
            rank_of(action, RANKS).alias(RANK),
            action.is_in(DELETIONS).alias(IS_DELETION),
            pl.lit(TOLD).alias(FROM),
        )
        .sort("requestId", "hashKey", nulls_last=False)
        .unique([WAREHOUSE, "timestamp", "actionName"], keep="last", maintain_order=True)
    )


def _flag(text: pl.Expr) -> pl.Expr:
    """`true` or `false` of a request; null for other texts."""
    folded = text.str.to_lowercase()
    return folded.replace_strict(
        {"true": True, "false": False}, default=None, return_dtype=pl.Boolean
    )


def _shown(warehouses_snapshot_bronze: pl.LazyFrame) -> pl.LazyFrame:
    renamed = {"warehouse_name": "name", "createdBy": "creator_name", "warehouse_state": "state"}
    channel = pl.col("channel").struct.field("name").alias("channel")
    return warehouses_snapshot_bronze.select(
        WAREHOUSE,
        *(
            channel if name == "channel" else pl.col(renamed.get(name, name)).alias(name)
            for name in (*SETTINGS, *OF_CAPTURES)
        ),
        "captured_at_ms",
        "is_closing",
        "is_first_day",
    )
