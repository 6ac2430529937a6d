"""Columns that the tables of SQL queries have in common."""

import polars as pl

from overwatch_assets.module import Column, Content

CHANNEL = pl.Struct({"name": pl.String, "dbsql_version": pl.String})

QUERY_COLUMNS = (
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
    Column("query_text", pl.String, "The query as the API gives it.", Content.SQL_TEXT),
    Column("error_message", pl.String, "Why it failed; null: it did not.", Content.SQL_ERROR),
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
"""What is told of a query, its metrics beside its other fields."""

DOCUMENTED = (
    "warehouse_id",
    "query_id",
    "user_id",
    "executed_as_user_id",
    "user_name",
    "executed_as_user_name",
    "query_start_time_ms",
    "execution_end_time_ms",
    "query_end_time_ms",
    "duration",
    "query_text",
    "status",
    "statement_type",
    "error_message",
    "spark_ui_url",
    "rows_produced",
    "compilation_time_ms",
    "execution_time_ms",
    "result_fetch_time_ms",
    "total_time_ms",
    "task_total_time_ms",
    "photon_total_time_ms",
    "network_sent_bytes",
    "read_bytes",
    "read_cache_bytes",
    "read_remote_bytes",
    "write_remote_bytes",
    "spill_to_disk_bytes",
    "pruned_bytes",
    "pruned_files_count",
    "read_files_count",
    "read_partitions_count",
    "rows_produced_count",
    "rows_read_count",
    "result_from_cache",
)
"""Columns of Overwatch's data dictionary; the others pass through."""

FROM_START = (
    "warehouse_id",
    "query_id",
    "query_start_time_ms",
    "statement_type",
    "query_text",
    "user_id",
    "user_name",
    "executed_as_user_id",
    "executed_as_user_name",
    "lookup_key",
    "endpoint_id",
    "channel_used",
)
"""What is known of a query from its start on; all else when it is over."""

INSTANTS = (
    "overloading_queue_start_timestamp",
    "provisioning_queue_start_timestamp",
    "query_compilation_start_timestamp",
)
"""What is known of it from that instant on."""

ENDINGS = (
    Column(
        "end_imputed",
        pl.Boolean,
        "Nothing told the end: it vanished. Leave such rows out of sums of durations. False while "
        "open.",
    ),
    Column("end_reason", pl.String, "What ended it: event, or vanished. Null while open."),
)
"""What queries have as intervals."""

UNTIL_ENDED = tuple(
    column.name for column in (*QUERY_COLUMNS, *ENDINGS) if column.name not in FROM_START
)
"""What later days may still change of an open query."""

_BY_NAME = {column.name: column for column in QUERY_COLUMNS}


def shared(*names: str) -> tuple[Column, ...]:
    """Columns by name, in that order."""
    return tuple(_BY_NAME[name] for name in names)
