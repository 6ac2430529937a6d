"""What Databricks tells about a Spark job in the job's properties."""

from collections.abc import Mapping

import polars as pl

_OF_JOB = {
    "AppName": "spark.app.name",
    "WorkspaceURL": "spark.databricks.api.url",
    "JobGroupID": "spark.jobGroup.id",
    "CloudProvider": "spark.databricks.cloudProvider",
    "principalIdpObjectId": "principalIdpObjectId",
    "NotebookID": "spark.databricks.notebook.id",
    "NotebookPath": "spark.databricks.notebook.path",
    "SparkContextID": "spark.databricks.sparkContextId",
    "RDDScope": "spark.rdd.scope",
    "SparkDBJobID": "spark.databricks.job.id",
    "SparkDBRunID": "spark.databricks.job.runId",
    "sparkDBJobType": "spark.databricks.job.type",
    "UserEmail": "user",
    "DriverHostIP": "spark.driver.host",
    "DriverMaxResults": "spark.driver.maxResultSize",
    "ExecutorID": "spark.executor.id",
    "ExecutorMemory": "spark.executor.memory",
    "ExecutionID": "spark.sql.execution.id",
    "ExecutionParent": "spark.sql.execution.parent",
    "SparkDBIsolationID": "spark.databricks.isolationID",
    "AzureOAuth2ClientID": "spark.hadoop.fs.azure.account.oauth2.client.id",
    "SparkDBREPLID": "spark.databricks.replId",
    "ShufflePartitions": "spark.sql.shuffle.partitions",
}
_USAGE_TAGS = "spark.databricks.clusterUsageTags."
_OF_CLUSTER = {
    "ClusterSource": "spark.databricks.clusterSource",
    "AutoTerminationMinutes": f"{_USAGE_TAGS}autoTerminationMinutes",
    "ClusterTags": f"{_USAGE_TAGS}clusterAllTags",
    "ClusterAvailability": f"{_USAGE_TAGS}clusterAvailability",
    "ClusterID": f"{_USAGE_TAGS}clusterId",
    "InstancePoolID": f"{_USAGE_TAGS}clusterInstancePoolId",
    "MaxWorkers": f"{_USAGE_TAGS}clusterMaxWorkers",
    "MinWorkers": f"{_USAGE_TAGS}clusterMinWorkers",
    "Name": f"{_USAGE_TAGS}clusterName",
    "OwnerUserID": f"{_USAGE_TAGS}clusterOwnerUserId",
    "ScalingType": f"{_USAGE_TAGS}clusterScalingType",
    "SpotBidPricePercent": f"{_USAGE_TAGS}clusterSpotBidPricePercent",
    "TargetWorkers": f"{_USAGE_TAGS}clusterTargetWorkers",
    "ActualWorkers": f"{_USAGE_TAGS}clusterWorkers",
    "ZoneID": f"{_USAGE_TAGS}containerZoneId",
    "Region": f"{_USAGE_TAGS}dataPlaneRegion",
    "DriverNodeType": f"{_USAGE_TAGS}driverNodeType",
    "WorkerNodeType": "spark.databricks.workerNodeTypeId",
    "SparkVersion": f"{_USAGE_TAGS}sparkVersion",
}

CLUSTER_DETAILS = pl.Struct(dict.fromkeys(_OF_CLUSTER, pl.String))
POWER_PROPERTIES = pl.Struct(
    {**dict.fromkeys([*_OF_JOB, "UserID"], pl.String), "ClusterDetails": CLUSTER_DETAILS}
)
"""Named properties of a job; a field is null when the job was started without the property."""


def property_of(properties: pl.Expr, name: str) -> pl.Expr:
    """A property by its Spark name; bronze keys its map by the name without dots."""
    return properties.map.get(name.replace(".", ""))


def power_properties(properties: pl.Expr) -> pl.Expr:
    """`POWER_PROPERTIES` of a property map; all fields null for a null map."""
    user_id = pl.coalesce(property_of(properties, "userID"), property_of(properties, "userId"))
    cluster_details = pl.struct(_named(properties, _OF_CLUSTER))
    return pl.struct(
        [
            *_named(properties, _OF_JOB),
            user_id.alias("UserID"),
            cluster_details.alias("ClusterDetails"),
        ]
    )


def _named(properties: pl.Expr, names: Mapping[str, str]) -> list[pl.Expr]:
    return [property_of(properties, name).alias(field) for field, name in names.items()]
