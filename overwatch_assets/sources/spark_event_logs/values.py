"""Values of event lines: what is kept of them, and in which form."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from overwatch_assets.sources.secret_texts import struck_out

Long = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
NullableLong = Long | None
Texts = dict[str, Any]

_SECRET_LIKE = re.compile(
    r"token|secret|passw|credential|(access|account|api|private)[^a-z0-9]?key", re.IGNORECASE
)
_CLUSTER_TAGS = "spark.databricks.clusterUsageTags."
_PROPERTIES = {
    name: re.sub(r"[^A-Za-z0-9]", "_", name.replace(".", ""))
    for name in (
        "spark.app.name",
        "spark.jobGroup.id",
        "spark.driver.host",
        "spark.driver.maxResultSize",
        "spark.executor.id",
        "spark.executor.memory",
        "spark.rdd.scope",
        "spark.sql.execution.id",
        "spark.sql.execution.parent",
        "spark.sql.shuffle.partitions",
        "spark.databricks.api.url",
        "spark.databricks.cloudProvider",
        "spark.databricks.clusterSource",
        "spark.databricks.workerNodeTypeId",
        "spark.databricks.sparkContextId",
        "spark.databricks.isolationID",
        "spark.databricks.replId",
        "spark.databricks.notebook.id",
        "spark.databricks.notebook.path",
        "spark.databricks.job.id",
        "spark.databricks.job.runId",
        "spark.databricks.job.type",
        "spark.hadoop.fs.azure.account.oauth2.client.id",
        "principalIdpObjectId",
        "user",
        "userID",
        "userId",
        *(
            _CLUSTER_TAGS + tag
            for tag in (
                "autoTerminationMinutes",
                "clusterAllTags",
                "clusterAvailability",
                "clusterId",
                "clusterInstancePoolId",
                "clusterLogDestination",
                "clusterMaxWorkers",
                "clusterMinWorkers",
                "clusterName",
                "clusterOwnerUserId",
                "clusterScalingType",
                "clusterSpotBidPricePercent",
                "clusterTargetWorkers",
                "clusterWorkers",
                "containerZoneId",
                "dataPlaneRegion",
                "driverNodeType",
                "sparkVersion",
            )
        ),
    )
}
"""Job properties kept: Spark's name to the name in the column."""

CLUSTER_ID = _PROPERTIES[_CLUSTER_TAGS + "clusterId"]


def instant(epoch_ms: int | None) -> int | None:
    """An instant a line tells; zero and negative numbers tell none."""
    return epoch_ms if epoch_ms is not None and 0 < epoch_ms < 2**63 else None


def epoch_ms(iso: str | None) -> int | None:
    """Epoch ms of ISO text, UTC where it names no zone; None where it isn't one."""
    try:
        instant = datetime.fromisoformat(iso or "")
    except ValueError:
        return None
    return round((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp() * 1000)


def text(value: object) -> str | None:
    """A JSON value as text without secrets: a string as it is, another value as JSON."""
    if value is None:
        return None
    return struck_out(value if isinstance(value, str) else msgspec.json.encode(value).decode())


def texts(values: Mapping[str, object] | None) -> dict[str, Any] | None:
    """A JSON object as texts, without its nulls and without what looks like a secret."""
    if values is None:
        return None
    return {
        name: text(value)
        for name, value in values.items()
        if value is not None and not _SECRET_LIKE.search(name)
    }


def kept_properties(properties: Mapping[str, object] | None) -> dict[str, Any] | None:
    if properties is None:
        return None
    return {
        _PROPERTIES[name]: text(value)
        for name, value in properties.items()
        if name in _PROPERTIES and value is not None
    }
