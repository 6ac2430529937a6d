"""SQL queries, as consumers query them."""

from overwatch_assets.view import View

VIEW = View(
    name="sqlQueryHistory",
    table="sql_query_history_gold",
    columns=(
        "organization_id",
        "workspace_name",
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
        "end_imputed",
        "end_reason",
    ),
    doc=(
        "One row per SQL query; joins to warehouse and to warehouseStateFact by warehouse_id. Of a "
        "query that runs (is_open) only what was known from its start is told. What queries cost: "
        "sqlQueryCostDaily."
    ),
)
