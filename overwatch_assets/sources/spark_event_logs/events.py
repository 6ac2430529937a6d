# ruff: noqa: N815 - attributes are named like the columns they fill, which users query
"""The events that are decoded: of each, only the fields that some table uses.

An attribute is a column of the raw records; where the log spells it otherwise, the field names
the log's key. Fields that the log may lack are null then. What identifies the entity is
required: a line without it is rejected. `eventTimeMS` is null where the line tells no time.
"""

from typing import Any

import msgspec
from msgspec import Raw, Struct, field

from overwatch_assets.sources.spark_event_logs.task_events import StackFrame
from overwatch_assets.sources.spark_event_logs.values import (
    CLUSTER_ID,
    Long,
    NullableLong,
    Texts,
    epoch_ms,
    instant,
    kept_properties,
    text,
    texts,
)

PLAN_CHARACTERS = 10_000
"""Characters kept of a physical plan."""


class AnyEvent(Struct, gc=False):
    """Any line: its event type."""

    Event: str


class Accumulable(Struct, gc=False):
    ID: NullableLong = None
    Name: str | None = None
    Update: Any = None
    Value: Any = None
    Internal: bool | None = None
    CountFailedValues: bool | None = field(default=None, name="Count Failed Values")
    Metadata: str | None = None

    def __post_init__(self) -> None:
        self.Update = text(self.Update)
        self.Value = text(self.Value)


class Stage(Struct, gc=False):
    StageID: Long = field(name="Stage ID")
    StageAttemptID: NullableLong = field(default=None, name="Stage Attempt ID")
    StageName: str | None = field(default=None, name="Stage Name")
    NumberofTasks: NullableLong = field(default=None, name="Number of Tasks")
    ParentIDs: list[Long] | None = field(default=None, name="Parent IDs")
    Details: str | None = None
    SubmissionTime: NullableLong = field(default=None, name="Submission Time")
    CompletionTime: NullableLong = field(default=None, name="Completion Time")
    FailureReason: str | None = field(default=None, name="Failure Reason")
    Accumulables: list[Accumulable] | None = None


class StageSubmitted(Struct, gc=False):
    Event: str
    StageInfo: Stage = field(name="Stage Info")
    StageID: NullableLong = None
    StageAttemptID: NullableLong = None
    eventTimeMS: NullableLong = None

    def __post_init__(self) -> None:
        self.StageID = self.StageInfo.StageID
        self.StageAttemptID = self.StageInfo.StageAttemptID
        self.eventTimeMS = instant(self.StageInfo.SubmissionTime)


class StageCompleted(Struct, gc=False):
    Event: str
    StageInfo: Stage = field(name="Stage Info")
    StageID: NullableLong = None
    StageAttemptID: NullableLong = None
    eventTimeMS: NullableLong = None

    def __post_init__(self) -> None:
        self.StageID = self.StageInfo.StageID
        self.StageAttemptID = self.StageInfo.StageAttemptID
        self.eventTimeMS = instant(self.StageInfo.CompletionTime)


class JobStart(Struct, gc=False):
    Event: str
    JobID: Long = field(name="Job ID")
    SubmissionTime: NullableLong = field(default=None, name="Submission Time")
    StageIDs: list[Long] | None = field(default=None, name="Stage IDs")
    Properties: Texts | None = None
    clusterId: str | None = None
    eventTimeMS: NullableLong = None

    def __post_init__(self) -> None:
        self.Properties = kept_properties(self.Properties)
        self.clusterId = (self.Properties or {}).get(CLUSTER_ID)
        self.eventTimeMS = instant(self.SubmissionTime)


class JobException(Struct, gc=False):
    Message: str | None = None
    StackTrace: list[StackFrame] | None = field(default=None, name="Stack Trace")


class Result(Struct, gc=False):
    Result: str | None = None
    Exception: JobException | None = None


class JobEnd(Struct, gc=False):
    Event: str
    JobID: Long = field(name="Job ID")
    CompletionTime: NullableLong = field(default=None, name="Completion Time")
    JobResult: Result | None = field(default=None, name="Job Result")
    eventTimeMS: NullableLong = None

    def __post_init__(self) -> None:
        self.eventTimeMS = instant(self.CompletionTime)


class Executor(Struct, gc=False):
    Host: str | None = None
    TotalCores: NullableLong = field(default=None, name="Total Cores")
    LogUrls: Texts | None = field(default=None, name="Log Urls")
    Attributes: Texts | None = None

    def __post_init__(self) -> None:
        self.LogUrls = texts(self.LogUrls)
        self.Attributes = texts(self.Attributes)


class ExecutorAdded(Struct, gc=False):
    Event: str
    ExecutorID: str = field(name="Executor ID")
    Timestamp: NullableLong = None
    executorInfo: Executor | None = field(default=None, name="Executor Info")
    eventTimeMS: NullableLong = None

    def __post_init__(self) -> None:
        self.eventTimeMS = instant(self.Timestamp)


class ExecutorRemoved(Struct, gc=False):
    Event: str
    ExecutorID: str = field(name="Executor ID")
    Timestamp: NullableLong = None
    RemovedReason: str | None = field(default=None, name="Removed Reason")
    eventTimeMS: NullableLong = None

    def __post_init__(self) -> None:
        self.eventTimeMS = instant(self.Timestamp)


class SQLExecutionStart(Struct, gc=False):
    Event: str
    executionId: Long
    rootExecutionId: NullableLong = None
    time: NullableLong = None
    description: str | None = None
    details: str | None = None
    physicalPlanDescription: str | None = None
    modifiedConfigs: Texts | None = None
    eventTimeMS: NullableLong = None

    def __post_init__(self) -> None:
        if self.physicalPlanDescription is not None:
            self.physicalPlanDescription = self.physicalPlanDescription[:PLAN_CHARACTERS]
        self.modifiedConfigs = texts(self.modifiedConfigs)
        self.eventTimeMS = instant(self.time)


class SQLExecutionEnd(Struct, gc=False):
    Event: str
    executionId: Long
    time: NullableLong = None
    eventTimeMS: NullableLong = None

    def __post_init__(self) -> None:
        self.eventTimeMS = instant(self.time)


class Application(Struct, gc=False):
    AppID: str | None = None
    AppName: str | None = None
    AppAttemptID: str | None = None
    User: str | None = None


class ApplicationStart(Struct, gc=False):
    Event: str
    Timestamp: NullableLong = None
    _app_id: str | None = field(default=None, name="App ID")
    _app_name: str | None = field(default=None, name="App Name")
    _attempt_id: str | None = field(default=None, name="App Attempt ID")
    _user: str | None = field(default=None, name="User")
    applicationInfo: Application | None = None
    eventTimeMS: NullableLong = None

    def __post_init__(self) -> None:
        self.applicationInfo = Application(
            self._app_id, self._app_name, self._attempt_id, self._user
        )
        self.eventTimeMS = instant(self.Timestamp)


class ApplicationEnd(Struct, gc=False):
    Event: str
    Timestamp: NullableLong = None
    eventTimeMS: NullableLong = None

    def __post_init__(self) -> None:
        self.eventTimeMS = instant(self.Timestamp)


class QueryStarted(Struct, gc=False):
    Event: str
    id: str | None = None
    runId: str | None = None
    name: str | None = None
    Timestamp: NullableLong = None
    _iso: str | None = field(default=None, name="timestamp")
    eventTimeMS: NullableLong = None

    def __post_init__(self) -> None:
        self.Timestamp = self.Timestamp or epoch_ms(self._iso)
        self.eventTimeMS = instant(self.Timestamp)


class Durations(Struct, gc=False):
    triggerExecution: NullableLong = None


class Progress(Struct, gc=False):
    id: str | None = None
    runId: str | None = None
    name: str | None = None
    timestamp: str | None = None
    batchId: NullableLong = None
    batchDuration: NullableLong = None
    durationMs: Durations | None = None


class QueryProgress(Struct, gc=False):
    """Written at the end of the micro-batch; the progress names the trigger's start."""

    Event: str
    logged: Raw = field(default=Raw(b"null"), name="progress")
    progress: str | None = field(default=None, name="(text of the progress)")
    id: str | None = None
    runId: str | None = None
    name: str | None = None
    batchId: NullableLong = None
    Timestamp: NullableLong = None
    eventTimeMS: NullableLong = None

    def __post_init__(self) -> None:
        told = _decode_progress(self.logged)
        if told is None:
            self.progress = self.eventTimeMS = None
            return
        self.progress = bytes(self.logged).decode()
        self.id, self.runId, self.name = told.id, told.runId, told.name
        self.batchId = told.batchId
        self.Timestamp = epoch_ms(told.timestamp) or self.Timestamp
        of_trigger = told.durationMs.triggerExecution if told.durationMs else None
        took_ms = of_trigger if told.batchDuration is None else told.batchDuration
        self.eventTimeMS = self.Timestamp and instant(self.Timestamp + (took_ms or 0))


_decode_progress = msgspec.json.Decoder(Progress | None, strict=False).decode
