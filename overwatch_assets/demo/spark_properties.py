"""The properties Databricks gives a Spark job: who, for which run, on which cluster.

The real ones are about 280 keys; here are all that some table reads and enough of the others
that a reader has something to leave out.
"""

import json
from collections.abc import Mapping

from overwatch_assets.demo.company import Workspace
from overwatch_assets.demo.world import SparkContext, SparkJob

REDACTED = "*********(redacted)"
TAGS = "spark.databricks.clusterUsageTags."


def context_properties(context: SparkContext, workspace: Workspace) -> dict[str, str]:
    """Return what every job of a context carries."""
    cluster = context.cluster
    all_tags = {
        "Vendor": "Databricks",
        "Creator": cluster.owner.email,
        "ClusterName": cluster.name,
        "ClusterId": cluster.cluster_id,
        **cluster.tags,
    }
    is_scaling = cluster.min_workers < cluster.max_workers
    return {
        "spark.app.name": "Databricks Shell",
        "spark.app.id": context.app_id,
        "spark.driver.host": context.driver_host,
        "spark.driver.maxResultSize": "4g",
        "spark.executor.id": "driver",
        "spark.executor.memory": "8874m",
        "spark.sql.shuffle.partitions": "200",
        "spark.sql.adaptive.enabled": "true",
        "spark.scheduler.mode": "FAIR",
        "spark.job.interruptOnCancel": "true",
        "spark.speculation": "false",
        "spark.databricks.api.url": workspace.api_url,
        "spark.databricks.cloudProvider": "AWS",
        "spark.databricks.clusterSource": cluster.source,
        "spark.databricks.workerNodeTypeId": cluster.node_type,
        "spark.databricks.driverNodeTypeId": cluster.node_type,
        "spark.databricks.sparkContextId": context.context_id,
        "spark.databricks.token": REDACTED,
        "spark.databricks.delta.preview.enabled": "true",
        "spark.databricks.env": "databricks-python-repl",
        "spark.databricks.service.client.type": "python",
        "spark.databricks.inherited.credentials.keys.spark.databricks.api.token": REDACTED,
        "spark.hadoop.fs.s3a.server-side-encryption.key": REDACTED,
        f"{TAGS}autoTerminationMinutes": "0" if cluster.source == "JOB" else "120",
        f"{TAGS}clusterAllTags": json.dumps(
            [{"key": key, "value": value} for key, value in all_tags.items()],
            separators=(",", ":"),
        ),
        f"{TAGS}clusterAvailability": "SPOT_WITH_FALLBACK",
        f"{TAGS}clusterFirstOnDemand": "1",
        f"{TAGS}clusterId": cluster.cluster_id,
        f"{TAGS}clusterLogDestination": context.destination,
        f"{TAGS}clusterLogDeliveryEnabled": "true",
        f"{TAGS}clusterMaxWorkers": str(cluster.max_workers),
        f"{TAGS}clusterMinWorkers": str(cluster.min_workers),
        f"{TAGS}clusterName": cluster.name,
        f"{TAGS}clusterNodeType": cluster.node_type,
        f"{TAGS}clusterNumCustomTags": str(len(cluster.tags)),
        f"{TAGS}clusterOrgId": workspace.workspace_id,
        f"{TAGS}clusterOwnerUserId": str(cluster.owner.user_id),
        f"{TAGS}clusterScalingType": "autoscaling" if is_scaling else "fixed_size",
        f"{TAGS}clusterSpotBidPricePercent": "100",
        f"{TAGS}clusterTargetWorkers": str(cluster.min_workers),
        f"{TAGS}clusterWorkers": str(cluster.min_workers),
        f"{TAGS}containerZoneId": f"{workspace.region}a",
        f"{TAGS}dataPlaneRegion": workspace.region,
        f"{TAGS}driverInstancePrivateIp": context.driver_host,
        f"{TAGS}driverNodeType": cluster.node_type,
        f"{TAGS}enableElasticDisk": "true",
        f"{TAGS}sparkVersion": cluster.spark_version,
    }


def job_properties(of_context: Mapping[str, str], job: SparkJob) -> dict[str, str]:
    """Return the properties of a Spark job."""
    origin = job.origin
    own: dict[str, object] = {
        "spark.jobGroup.id": origin.job_group,
        "spark.databricks.replId": origin.repl_id,
        "spark.databricks.isolationID": origin.isolation_id,
        "spark.rdd.scope": f'{{"id":"{job.job_id}","name":"{job.stages[0].operation}"}}',
        "spark.sql.execution.id": job.execution_id,
        "spark.databricks.job.id": origin.job_id,
        "spark.databricks.job.runId": origin.run_id,
        "spark.databricks.job.type": None if origin.job_id is None else "notebook",
        "user": origin.user and origin.user.email,
        "userID": origin.user and origin.user.user_id,
    }
    if origin.notebook is not None:
        own["spark.databricks.notebook.id"] = origin.notebook.notebook_id
        own["spark.databricks.notebook.path"] = origin.notebook.path
    if origin.stream is not None:
        own["sql.streaming.queryId"] = origin.stream.query_id
        own["streaming.sql.batchId"] = origin.batch_id
    return {**of_context, **{key: str(value) for key, value in own.items() if value is not None}}
