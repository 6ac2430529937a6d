"""SQL queries as the API showed them when their day was asked for: one row per query and day.

A query stands in the partition of the day it started in, and again in that of each later day on
which it had not ended before the day began. What it is told to be is what was known when the
day was asked for, which may be more than was known on the day: a query that ended three days
later can be seen ended in the partition of its first day.
"""

import polars as pl

from overwatch_assets.bronze.api_rejected import REJECTED
from overwatch_assets.bronze.union import union_by_key
from overwatch_assets.module import (
    PARTITION_DATE,
    Column,
    FromSource,
    Grain,
    Scope,
    Stored,
    Window,
    module,
)

CHANNEL = pl.Struct({"name": pl.String, "dbsql_version": pl.String})

KEYS = ("warehouse_id", "query_id", "query_start_time_ms")

FINAL_STATUSES = ("CANCELED", "FAILED", "FINISHED")

COLUMNS = (
    Column("organization_id", pl.String, "Workspace that was asked."),
    Column("warehouse_id", pl.String, "SQL warehouse that ran the query; null: not told."),
    Column("query_id", pl.String, "Query, which the API calls statement as well."),
    Column("query_start_time_ms", pl.Int64, "Epoch ms the query was received."),
    Column("query_end_time_ms", pl.Int64, "Epoch ms the query was over; null: it was not."),
    Column(
        "execution_end_time_ms",
        pl.Int64,
        "Epoch ms its execution ended, before the result was fetched; null: it had not.",
    ),
    Column("status", pl.String, "QUEUED, RUNNING, FINISHED, FAILED, CANCELED and the like."),
    Column("is_final", pl.Boolean, "Nothing of the query will change any more."),
    Column("statement_type", pl.String, "SELECT, INSERT and the like; null: other."),
    Column("query_text", pl.String, "The query as the API gives it."),
    Column("error_message", pl.String, "Why it failed; null: it did not."),
    Column("user_id", pl.Int64, "User who sent it."),
    Column("user_name", pl.String, "That user's name."),
    Column("executed_as_user_id", pl.Int64, "User whose credentials it ran with."),
    Column("executed_as_user_name", pl.String, "That user's name."),
    Column(
        "duration", pl.Int64, "Milliseconds from start to end, fetching of the result included."
    ),
    Column("rows_produced", pl.Int64, "Rows of the result."),
    Column("spark_ui_url", pl.String, "Where its Spark UI is."),
    Column("lookup_key", pl.String, "Key by which Databricks' own UI finds it."),
    Column("endpoint_id", pl.String, "Older name of warehouse_id."),
    Column("plans_state", pl.String, "Whether plans exist, such as EXISTS or EMPTY."),
    Column("is_cancelable", pl.Boolean, "Whether it could have been cancelled when it was asked."),
    Column("channel_used", CHANNEL, "Release channel of the warehouse when it ran."),
    Column("compilation_time_ms", pl.Int64, "Milliseconds of compiling."),
    Column("execution_time_ms", pl.Int64, "Milliseconds of executing."),
    Column(
        "result_fetch_time_ms", pl.Int64, "Milliseconds the result was fetched after execution."
    ),
    Column("total_time_ms", pl.Int64, "Milliseconds in all, waiting included."),
    Column("task_total_time_ms", pl.Int64, "Milliseconds of all tasks, over all cores."),
    Column("photon_total_time_ms", pl.Int64, "Of these, milliseconds in Photon."),
    Column("network_sent_bytes", pl.Int64, "Bytes sent over the network."),
    Column("pruned_bytes", pl.Int64, "Bytes of files that were not read."),
    Column("pruned_files_count", pl.Int64, "Files that were not read."),
    Column("read_bytes", pl.Int64, "Bytes read."),
    Column("read_cache_bytes", pl.Int64, "Of these, bytes from the cache."),
    Column("read_remote_bytes", pl.Int64, "Of these, bytes from cloud storage."),
    Column("read_files_count", pl.Int64, "Files read."),
    Column("read_partitions_count", pl.Int64, "Partitions read."),
    Column("result_from_cache", pl.Boolean, "The result came from the cache."),
    Column("rows_produced_count", pl.Int64, "Rows produced, as the metrics say."),
    Column("rows_read_count", pl.Int64, "Rows read."),
    Column("spill_to_disk_bytes", pl.Int64, "Bytes spilled to disks."),
    Column("write_remote_bytes", pl.Int64, "Bytes written to cloud storage."),
    Column(
        "overloading_queue_start_timestamp",
        pl.Int64,
        "Epoch ms it began to wait for a busy warehouse; null: it did not.",
    ),
    Column(
        "provisioning_queue_start_timestamp",
        pl.Int64,
        "Epoch ms it began to wait for the warehouse to start; null: it did not.",
    ),
    Column("query_compilation_start_timestamp", pl.Int64, "Epoch ms its compiling began."),
    Column("_extra", pl.String, "Everything else the API told, as JSON text; null: nothing."),
)


@module(
    module_id=1014,
    name="Bronze_SQLQueryHistory",
    scope=Scope.DBSQL,
    grain=Grain.OBSERVATION,
    columns=COLUMNS,
    keys=KEYS,
    reads={"queries": FromSource("sql_query_history"), "stored": Stored()},
    rejected=REJECTED,
    decided_by=PARTITION_DATE.name,
    builds_on_day_before=True,
    asked_at_once=True,
)
def sql_query_history_bronze(
    queries: pl.LazyFrame,
    stored: pl.LazyFrame,
    *,
    window: Window,  # noqa: ARG001 - the source knows which queries are of the day
) -> pl.LazyFrame:
    """Unite the day's queries with those stored, one per key.

    Of several answers about one query the final one wins over the one of a running query, then
    the one with the later end, then the greatest content: whichever was asked for first, the
    same row stays.

    Args:
        queries: Queries of the day, metrics beside the other columns: repeated, in any order.
        stored: Rows that the day holds already; the API forgets after 30 days, the table never.
        window: The day.
    """
    names = [column.name for column in COLUMNS if column.name != "organization_id"]
    end_ms = pl.coalesce("query_end_time_ms", "execution_end_time_ms")
    is_final = pl.col("is_final").fill_null(
        pl.col("status").is_in(FINAL_STATUSES) & end_ms.is_not_null()
    )
    return union_by_key(
        queries.select(names),
        stored.select(names),
        keys=sql_query_history_bronze.table.key_columns,
        content=names,
        origin=pl.lit(""),
        first=[is_final, end_ms],
    )
