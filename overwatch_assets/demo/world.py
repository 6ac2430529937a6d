"""What happened: the plain records that the simulation makes and the emitters write.

Nothing here knows a file format. Times are epoch milliseconds UTC; a time of None means that
it had not happened when the world was looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from overwatch_assets.demo.company import Cluster, Company, Notebook, Person, Workspace
from overwatch_assets.demo.estate import Estate
from overwatch_assets.demo.ledger import WorkspaceCompute
from overwatch_assets.demo.queries import QueryShape


class Ending(StrEnum):
    """How a task ended, in the words of Spark's log."""

    SUCCESS = "Success"
    EXCEPTION = "ExceptionFailure"
    KILLED = "TaskKilled"
    EXECUTOR_LOST = "ExecutorLostFailure"
    FETCH_FAILED = "FetchFailed"


@dataclass(frozen=True, slots=True)
class TaskMetrics:
    """What a task measured; bytes, records, ms and (`_ns`) nanoseconds."""

    run_ms: int
    cpu_ns: int
    deserialize_ms: int
    gc_ms: int
    result_size: int
    peak_memory: int
    memory_spilled: int
    disk_spilled: int
    input_bytes: int
    input_records: int
    output_bytes: int
    output_records: int
    remote_bytes_read: int
    local_bytes_read: int
    fetch_wait_ms: int
    shuffle_records_read: int
    shuffle_bytes_written: int
    shuffle_records_written: int
    shuffle_write_ns: int


@dataclass(slots=True)
class Executor:
    """An executor; `removed_ms` None: the log never says that it went."""

    executor_id: str
    host: str
    cores: int
    added_ms: int
    removed_ms: int | None = None
    removed_reason: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """A task attempt; `metrics` is None while it runs and when its executor was lost."""

    task_id: int
    index: int
    attempt: int
    executor: Executor
    launched_ms: int
    finished_ms: int | None
    ending: Ending | None
    metrics: TaskMetrics | None
    kill_reason: str = ""
    is_speculative: bool = False


@dataclass(frozen=True, slots=True)
class StageAttempt:
    """An attempt of a stage.

    Attributes:
        partitions: Tasks the attempt set out to run.
        accumulator_id: First of the ids that its accumulators have.
        failure: Why it failed; None: it did not, or not yet.
    """

    stage_id: int
    attempt: int
    operation: str
    name: str
    parent_ids: tuple[int, ...]
    partitions: int
    submitted_ms: int
    completed_ms: int | None
    failure: str | None
    accumulator_id: int
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """On whose behalf Spark worked: what its job properties tell.

    Attributes:
        user: None: started by a thread that lost its user.
        job_group: Spark job group.
        run_id: Task run of the Databricks job.
        stream: Identity of the streaming query, and its batch.
    """

    user: Person | None
    job_group: str
    repl_id: str
    isolation_id: str
    notebook: Notebook | None = None
    job_id: int | None = None
    run_id: int | None = None
    stream: "StreamQuery | None" = None
    batch_id: int | None = None


@dataclass(frozen=True, slots=True)
class SparkJob:
    """A Spark job; `failure` None: succeeded, or still running."""

    job_id: int
    execution_id: int | None
    origin: Origin
    submitted_ms: int
    completed_ms: int | None
    failure: str | None
    stage_ids: tuple[int, ...]
    stages: tuple[StageAttempt, ...]


@dataclass(frozen=True, slots=True)
class Execution:
    """A SQL execution."""

    execution_id: int
    description: str
    query: QueryShape
    started_ms: int
    ended_ms: int | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class StreamQuery:
    """A start of a streaming query; `name` None: it was given none."""

    query_id: str
    run_id: str
    name: str | None
    started_ms: int
    terminated_ms: int | None = None


@dataclass(frozen=True, slots=True)
class StreamBatch:
    """A micro-batch that ended."""

    query: StreamQuery
    batch_id: int
    triggered_ms: int
    duration_ms: int
    rows: int

    @property
    def ended_ms(self) -> int:
        """When its progress was reported."""
        return self.triggered_ms + self.duration_ms


@dataclass(frozen=True, slots=True)
class SparkContext:
    """A Spark context: one start of a cluster, and all that its log tells.

    Attributes:
        stopped_ms: When the driver went away; no event tells it. None: runs on.
        destination: Log destination it writes to.
        is_overlapping: Its live file still holds what was rolled last.
        is_garbled: A line of its log was torn while it was written.
    """

    context_id: str
    app_id: str
    cluster: Cluster
    destination: str
    driver_host: str
    started_ms: int
    stopped_ms: int | None
    executors: tuple[Executor, ...]
    executions: tuple[Execution, ...]
    jobs: tuple[SparkJob, ...]
    queries: tuple[StreamQuery, ...]
    batches: tuple[StreamBatch, ...]
    is_overlapping: bool = False
    is_garbled: bool = False


@dataclass(frozen=True, slots=True)
class AuditAction:
    """Something the audit log tells.

    Attributes:
        by: Email, or the name Databricks writes for itself; None: no identity at all.
        params: Request parameters with their natural types; None: the record has none.
        has_objects: Composite parameters are delivered as objects, not as JSON text.
        status: None: the record tells of no response at all.
        result: The answer; None: the record tells none.
        is_account_level: It concerns the account, not only the workspace that it is told in.
    """

    at_ms: int
    service: str
    action: str
    by: str | None
    params: Mapping[str, object] | None
    request_id: str | None
    session_id: str | None
    address: str | None
    user_agent: str | None
    status: int | None = 200
    error: str | None = None
    result: Mapping[str, object] | None = None
    has_objects: bool = False
    is_account_level: bool = False


@dataclass(frozen=True, slots=True)
class WorkspaceWorld:
    """What happened in a workspace.

    Attributes:
        actions: Audit actions in the order of time; may be made as they are read.
        compute: Clusters, jobs, runs and pools.
        estate_actions: Those of the actions that the estate's part told.
    """

    workspace: Workspace
    actions: Sequence[AuditAction]
    contexts: tuple[SparkContext, ...]
    compute: WorkspaceCompute
    estate: Estate
    estate_actions: tuple[AuditAction, ...]


@dataclass(frozen=True, slots=True)
class World:
    """What happened in `[since_ms, until_ms)`."""

    company: Company
    since_ms: int
    until_ms: int
    workspaces: tuple[WorkspaceWorld, ...]
