"""Streaming progress, as consumers query it."""

from overwatch_assets.view import View

VIEW = View(
    name="sparkStream",
    table="sparkstream_gold",
    columns=(
        "organization_id",
        "workspace_name",
        "spark_context_id",
        "cluster_id",
        "stream_id",
        "stream_run_id",
        "stream_batch_id",
        "stream_timestamp",
        "date",
        "streamSegment",
        "stream_name",
        "streaming_metrics",
        "execution_ids",
    ),
    doc=(
        "One row per start of a streaming query and per micro-batch it reports; partition_date "
        "is the day the batch ended, date the day it began."
    ),
)
