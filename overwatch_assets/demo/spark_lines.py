"""The events of a Spark event log, each as the object that its line holds.

Keys, their order and their types are those of Databricks' logs; times are epoch milliseconds
except for the streaming listener's. The events of tasks are in `spark_task_lines.py`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from overwatch_assets.demo.spark_task_lines import Json, stack_trace
from overwatch_assets.demo.world import (
    Execution,
    Executor,
    SparkContext,
    SparkJob,
    StageAttempt,
    StreamBatch,
    StreamQuery,
)

SQL = "org.apache.spark.sql.execution.ui."
STREAMING = "org.apache.spark.sql.streaming.StreamingQueryListener$"
SPARK_VERSION = "3.5.0"

CALL_STACK = (
    "org.apache.spark.sql.Dataset.collectToPython(Dataset.scala:4213)\n"
    "java.lang.reflect.Method.invoke(Method.java:498)\n"
    "py4j.reflection.MethodInvoker.invoke(MethodInvoker.java:244)\n"
    "py4j.GatewayConnection.run(GatewayConnection.java:251)\n"
    "java.lang.Thread.run(Thread.java:750)"
)


def iso(at_ms: int) -> str:
    """Return an instant as the streaming listener writes it."""
    moment = datetime.fromtimestamp(at_ms / 1000, tz=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03}Z"


def file_header(context_id: str, at_ms: int, rollover: int) -> Json:
    """First line of every file of a Databricks log."""
    return {
        "Event": "DBCEventLoggingListenerMetadata",
        "Spark Version": SPARK_VERSION,
        "Timestamp": at_ms,
        "Rollover Number": rollover,
        "SparkContext Id": int(context_id),
    }


def resource_profile() -> Json:
    """What an executor asks for; carries no time."""
    return {
        "Event": "SparkListenerResourceProfileAdded",
        "Resource Profile Id": 0,
        "Executor Resource Requests": {
            "memory": {
                "Resource Name": "memory",
                "Amount": 8874,
                "Discovery Script": "",
                "Vendor": "",
            }
        },
        "Task Resource Requests": {"cpus": {"Resource Name": "cpus", "Amount": 1.0}},
    }


def environment(properties: Mapping[str, str]) -> Json:
    """The settings of the application; carries no time."""
    return {
        "Event": "SparkListenerEnvironmentUpdate",
        "JVM Information": {
            "Java Home": "/usr/lib/jvm/zulu8-ca-amd64/jre",
            "Java Version": "1.8.0_412 (Azul Systems, Inc.)",
            "Scala Version": "version 2.12.18",
        },
        "Spark Properties": dict(properties),
        "Hadoop Properties": {"fs.s3a.connection.maximum": "200"},
        "System Properties": {"java.io.tmpdir": "/local_disk0/tmp", "user.timezone": "Etc/UTC"},
        "Classpath Entries": {"/databricks/jars/spark--core.jar": "System Classpath"},
    }


def application_start(context: SparkContext) -> Json:
    """Start of the application; Databricks writes no end."""
    return {
        "Event": "SparkListenerApplicationStart",
        "App Name": "Databricks Shell",
        "App ID": context.app_id,
        "Timestamp": context.started_ms,
        "User": "root",
    }


def block_manager_added(executor_id: str, host: str, at_ms: int) -> Json:
    """Storage of an executor, or of the driver."""
    return {
        "Event": "SparkListenerBlockManagerAdded",
        "Block Manager ID": {"Executor ID": executor_id, "Host": host, "Port": 35671},
        "Maximum Memory": 4_829_163_520,
        "Timestamp": at_ms,
        "Maximum Onheap Memory": 4_829_163_520,
        "Maximum Offheap Memory": 0,
    }


def executor_added(executor: Executor, app_id: str) -> Json:
    """An executor registered."""
    page = f"http://{executor.host}:43021/logPage/?appId={app_id}"
    logs = {
        kind: f"{page}&executorId={executor.executor_id}&logType={kind}"
        for kind in ("stdout", "stderr")
    }
    return {
        "Event": "SparkListenerExecutorAdded",
        "Timestamp": executor.added_ms,
        "Executor ID": executor.executor_id,
        "Executor Info": {
            "Host": executor.host,
            "Total Cores": executor.cores,
            "Log Urls": logs,
            "Attributes": {},
            "Resources": {},
            "Resource Profile Id": 0,
        },
    }


def executor_removed(executor: Executor) -> Json:
    """An executor went, and why."""
    return {
        "Event": "SparkListenerExecutorRemoved",
        "Timestamp": executor.removed_ms,
        "Executor ID": executor.executor_id,
        "Removed Reason": executor.removed_reason,
    }


def execution_start(execution: Execution) -> Json:
    """A SQL execution with its plan."""
    operations = [shape.operation for shape in reversed(execution.query.stages)]
    tree = "\n".join(f"{'   ' * n}+- {name} ({n + 1})" for n, name in enumerate(operations))
    detail = "\n\n".join(
        f"({n + 1}) {name}\nOutput [2]: [store_id#{n}L, amount#{n + 7}]\nArguments: "
        f"hashpartitioning(store_id#{n}L, 200), ENSURE_REQUIREMENTS, [plan_id={n * 31 + 12}]"
        for n, name in enumerate(operations)
    )
    plan: Json = {"nodeName": "LocalTableScan", "simpleString": "", "children": [], "metrics": []}
    for name in reversed(operations):
        plan = {
            "nodeName": name,
            "simpleString": f"{name} [store_id#0L, amount#7]",
            "children": [plan],
            "metadata": {},
            "metrics": [{"name": "duration", "accumulatorId": 12, "metricType": "timing"}],
        }
    return {
        "Event": f"{SQL}SparkListenerSQLExecutionStart",
        "executionId": execution.execution_id,
        "rootExecutionId": execution.execution_id,
        "description": execution.description,
        "details": CALL_STACK,
        "physicalPlanDescription": f"== Physical Plan ==\nAdaptiveSparkPlan\n{tree}\n\n{detail}\n",
        "sparkPlanInfo": plan,
        "time": execution.started_ms,
        "modifiedConfigs": {"spark.sql.shuffle.partitions": "64"},
    }


def execution_end(execution: Execution) -> Json:
    """End of a SQL execution."""
    return {
        "Event": f"{SQL}SparkListenerSQLExecutionEnd",
        "executionId": execution.execution_id,
        "time": execution.ended_ms,
        "errorMessage": execution.error,
    }


def driver_accumulators(execution: Execution) -> Json:
    """Metrics that the driver itself measured; carries no time."""
    return {
        "Event": f"{SQL}SparkListenerDriverAccumUpdates",
        "executionId": execution.execution_id,
        "accumUpdates": [[execution.execution_id * 10 + 4, 9], [execution.execution_id * 10, 2]],
    }


def job_start(job: SparkJob, properties: Mapping[str, str]) -> Json:
    """A Spark job with the stages it may need, skipped ones included."""
    stages = {stage.stage_id: stage for stage in reversed(job.stages)}
    return {
        "Event": "SparkListenerJobStart",
        "Job ID": job.job_id,
        "Submission Time": job.submitted_ms,
        "Stage Infos": [
            stage_info(stages[stage_id]) for stage_id in job.stage_ids if stage_id in stages
        ],
        "Stage IDs": list(job.stage_ids),
        "Properties": dict(properties),
    }


def job_end(job: SparkJob) -> Json:
    """End of a Spark job."""
    result: Json = {"Result": "JobSucceeded"}
    if job.failure is not None:
        trace = stack_trace() if job.failure.startswith("Job aborted") else []
        result = {
            "Result": "JobFailed",
            "Exception": {"Message": job.failure, "Stack Trace": trace},
        }
    return {
        "Event": "SparkListenerJobEnd",
        "Job ID": job.job_id,
        "Completion Time": job.completed_ms,
        "Job Result": result,
    }


def stage_info(stage: StageAttempt) -> Json:
    """A stage as it is known before it runs."""
    return {
        "Stage ID": stage.stage_id,
        "Stage Attempt ID": stage.attempt,
        "Stage Name": stage.name,
        "Number of Tasks": stage.partitions,
        "RDD Info": [
            {
                "RDD ID": 3 * stage.stage_id + 2,
                "Name": "MapPartitionsRDD",
                "Scope": f'{{"id":"{stage.stage_id}","name":"{stage.operation}"}}',
                "Callsite": stage.name,
                "Parent IDs": [3 * stage.stage_id + 1],
                "Storage Level": {
                    "Use Disk": False,
                    "Use Memory": False,
                    "Deserialized": False,
                    "Replication": 1,
                },
                "Barrier": False,
                "DeterministicLevel": "DETERMINATE",
                "Number of Partitions": stage.partitions,
                "Number of Cached Partitions": 0,
                "Memory Size": 0,
                "Disk Size": 0,
            }
        ],
        "Parent IDs": list(stage.parent_ids),
        "Details": CALL_STACK,
        "Accumulables": [],
        "Resource Profile Id": 0,
    }


def stage_submitted(stage: StageAttempt, properties: Mapping[str, str]) -> Json:
    """A stage attempt begins."""
    info = stage_info(stage) | {"Submission Time": stage.submitted_ms}
    return {
        "Event": "SparkListenerStageSubmitted",
        "Stage Info": info,
        "Properties": dict(properties),
    }


def stage_completed(stage: StageAttempt, accumulables: list[Json]) -> Json:
    """A stage attempt ended, well or with a failure reason."""
    info = stage_info(stage) | {
        "Submission Time": stage.submitted_ms,
        "Completion Time": stage.completed_ms,
    }
    if stage.failure is not None:
        info["Failure Reason"] = stage.failure
    info["Accumulables"] = accumulables
    return {"Event": "SparkListenerStageCompleted", "Stage Info": info}


def query_started(query: StreamQuery) -> Json:
    """A streaming query started."""
    return {
        "Event": f"{STREAMING}QueryStartedEvent",
        "id": query.query_id,
        "runId": query.run_id,
        "name": query.name,
        "timestamp": iso(query.started_ms),
    }


def query_terminated(query: StreamQuery) -> Json:
    """A streaming query ended; carries no time."""
    return {
        "Event": f"{STREAMING}QueryTerminatedEvent",
        "id": query.query_id,
        "runId": query.run_id,
        "exception": None,
    }


def query_progress(batch: StreamBatch) -> Json:
    """A micro-batch ended; its timestamp is that of its trigger."""
    seconds = batch.duration_ms / 1000
    return {
        "Event": f"{STREAMING}QueryProgressEvent",
        "progress": {
            "id": batch.query.query_id,
            "runId": batch.query.run_id,
            "name": batch.query.name,
            "timestamp": iso(batch.triggered_ms),
            "batchId": batch.batch_id,
            "batchDuration": batch.duration_ms,
            "durationMs": {
                "addBatch": round(batch.duration_ms * 0.8),
                "getBatch": 3,
                "latestOffset": 41,
                "queryPlanning": 12,
                "triggerExecution": batch.duration_ms,
                "walCommit": 38,
            },
            "eventTime": {"watermark": iso(batch.triggered_ms - 600_000)},
            "stateOperators": [],
            "sources": [
                {
                    "description": "DeltaSource[s3://tidewater-lake/landing/orders]",
                    "startOffset": {"reservoirVersion": batch.batch_id},
                    "endOffset": {"reservoirVersion": batch.batch_id + 1},
                    "numInputRows": batch.rows,
                    "processedRowsPerSecond": round(batch.rows / seconds, 3),
                }
            ],
            "sink": {
                "description": "DeltaSink[s3://tidewater-lake/sales/orders]",
                "numOutputRows": batch.rows,
            },
        },
    }
