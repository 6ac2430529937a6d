"""Task events, nine of ten lines of a log: of each, only the fields that some table uses.

An attribute is a column of the raw records, or a field of a struct column; where the log spells
it otherwise, the field names the log's key. Fields that the log may lack are null then.
"""

from typing import Any

from msgspec import Raw, Struct, field

from overwatch_assets.sources.spark_event_logs.values import Long, NullableLong, text


class StackFrame(Struct, gc=False):
    DeclaringClass: str | None = field(default=None, name="Declaring Class")
    MethodName: str | None = field(default=None, name="Method Name")
    FileName: str | None = field(default=None, name="File Name")
    LineNumber: NullableLong = field(default=None, name="Line Number")


class AccumulatorUpdate(Struct, gc=False):
    ID: NullableLong = None
    Update: Any = None
    Internal: bool | None = None
    CountFailedValues: bool | None = field(default=None, name="Count Failed Values")

    def __post_init__(self) -> None:
        self.Update = text(self.Update)


class Address(Struct, gc=False):
    ExecutorID: str | None = field(default=None, name="Executor ID")
    Host: str | None = None
    Port: NullableLong = None


class EndReason(Struct, gc=False):
    Reason: str | None = None
    ClassName: str | None = field(default=None, name="Class Name")
    Description: str | None = None
    FullStackTrace: str | None = field(default=None, name="Full Stack Trace")
    KillReason: str | None = field(default=None, name="Kill Reason")
    LossReason: str | None = field(default=None, name="Loss Reason")
    StackTrace: list[StackFrame] | None = field(default=None, name="Stack Trace")
    AccumulatorUpdates: list[AccumulatorUpdate] | None = field(
        default=None, name="Accumulator Updates"
    )
    BlockManagerAddress: Address | None = field(default=None, name="Block Manager Address")
    ShuffleID: NullableLong = field(default=None, name="Shuffle ID")
    MapID: NullableLong = field(default=None, name="Map ID")
    ReduceID: NullableLong = field(default=None, name="Reduce ID")
    ExecutorID: str | None = field(default=None, name="Executor ID")


class ExecutorMetrics(Struct, gc=False):
    JVMHeapMemory: NullableLong = None
    JVMOffHeapMemory: NullableLong = None
    OnHeapExecutionMemory: NullableLong = None
    OffHeapExecutionMemory: NullableLong = None
    OnHeapStorageMemory: NullableLong = None
    OffHeapStorageMemory: NullableLong = None
    OnHeapUnifiedMemory: NullableLong = None
    OffHeapUnifiedMemory: NullableLong = None
    DirectPoolMemory: NullableLong = None
    MappedPoolMemory: NullableLong = None
    ProcessTreeJVMVMemory: NullableLong = None
    ProcessTreeJVMRSSMemory: NullableLong = None
    ProcessTreePythonVMemory: NullableLong = None
    ProcessTreePythonRSSMemory: NullableLong = None
    ProcessTreeOtherVMemory: NullableLong = None
    ProcessTreeOtherRSSMemory: NullableLong = None
    MinorGCCount: NullableLong = None
    MinorGCTime: NullableLong = None
    MajorGCCount: NullableLong = None
    MajorGCTime: NullableLong = None
    TotalGCTime: NullableLong = None


class ShuffleRead(Struct, gc=False):
    RemoteBlocksFetched: NullableLong = field(default=None, name="Remote Blocks Fetched")
    LocalBlocksFetched: NullableLong = field(default=None, name="Local Blocks Fetched")
    FetchWaitTime: NullableLong = field(default=None, name="Fetch Wait Time")
    RemoteBytesRead: NullableLong = field(default=None, name="Remote Bytes Read")
    RemoteBytesReadToDisk: NullableLong = field(default=None, name="Remote Bytes Read To Disk")
    LocalBytesRead: NullableLong = field(default=None, name="Local Bytes Read")
    TotalRecordsRead: NullableLong = field(default=None, name="Total Records Read")


class ShuffleWrite(Struct, gc=False):
    ShuffleBytesWritten: NullableLong = field(default=None, name="Shuffle Bytes Written")
    ShuffleWriteTime: NullableLong = field(default=None, name="Shuffle Write Time")
    ShuffleRecordsWritten: NullableLong = field(default=None, name="Shuffle Records Written")


class Input(Struct, gc=False):
    BytesRead: NullableLong = field(default=None, name="Bytes Read")
    RecordsRead: NullableLong = field(default=None, name="Records Read")


class Output(Struct, gc=False):
    BytesWritten: NullableLong = field(default=None, name="Bytes Written")
    RecordsWritten: NullableLong = field(default=None, name="Records Written")


class Metrics(Struct, gc=False):
    ExecutorDeserializeTime: NullableLong = field(default=None, name="Executor Deserialize Time")
    ExecutorDeserializeCPUTime: NullableLong = field(
        default=None, name="Executor Deserialize CPU Time"
    )
    ExecutorRunTime: NullableLong = field(default=None, name="Executor Run Time")
    ExecutorCPUTime: NullableLong = field(default=None, name="Executor CPU Time")
    PeakExecutionMemory: NullableLong = field(default=None, name="Peak Execution Memory")
    ResultSize: NullableLong = field(default=None, name="Result Size")
    JVMGCTime: NullableLong = field(default=None, name="JVM GC Time")
    ResultSerializationTime: NullableLong = field(default=None, name="Result Serialization Time")
    MemoryBytesSpilled: NullableLong = field(default=None, name="Memory Bytes Spilled")
    DiskBytesSpilled: NullableLong = field(default=None, name="Disk Bytes Spilled")
    ShuffleReadMetrics: ShuffleRead | None = field(default=None, name="Shuffle Read Metrics")
    ShuffleWriteMetrics: ShuffleWrite | None = field(default=None, name="Shuffle Write Metrics")
    InputMetrics: Input | None = field(default=None, name="Input Metrics")
    OutputMetrics: Output | None = field(default=None, name="Output Metrics")


class Task(Struct, gc=False):
    TaskID: Long = field(name="Task ID")
    Index: NullableLong = None
    Attempt: NullableLong = None
    PartitionID: NullableLong = field(default=None, name="Partition ID")
    LaunchTime: NullableLong = field(default=None, name="Launch Time")
    ExecutorID: str | None = field(default=None, name="Executor ID")
    Host: str | None = None
    Locality: str | None = None
    Speculative: bool | None = None
    GettingResultTime: NullableLong = field(default=None, name="Getting Result Time")
    FinishTime: NullableLong = field(default=None, name="Finish Time")
    Failed: bool | None = None
    Killed: bool | None = None


class StartedTask(Struct, gc=False):
    """What a start event tells for good; Spark may log the rest as it is later."""

    TaskID: Long = field(name="Task ID")
    Attempt: NullableLong = None
    LaunchTime: NullableLong = field(default=None, name="Launch Time")
    ExecutorID: str | None = field(default=None, name="Executor ID")
    Host: str | None = None


class TaskStart(Struct, gc=False):
    """Its time is the task's launch."""

    StageID: Long = field(name="Stage ID")
    TaskInfo: StartedTask = field(name="Task Info")
    StageAttemptID: NullableLong = field(default=None, name="Stage Attempt ID")


class TaskEnd(Struct, gc=False):
    """Its time is the task's finish.

    The same reason and the same executor metrics stand on most lines: they stay text here and
    each text is decoded once.
    """

    StageID: Long = field(name="Stage ID")
    TaskInfo: Task = field(name="Task Info")
    StageAttemptID: NullableLong = field(default=None, name="Stage Attempt ID")
    TaskType: str | None = field(default=None, name="Task Type")
    TaskMetrics: Metrics | None = field(default=None, name="Task Metrics")
    reason: Raw = field(default=Raw(b"null"), name="Task End Reason")
    executor_metrics: Raw = field(default=Raw(b"null"), name="Task Executor Metrics")

    @property
    def end_of_run_ms(self) -> int:
        """End by launch and run time, where the finish isn't told; 0 where these aren't either."""
        run_ms = self.TaskMetrics.ExecutorRunTime if self.TaskMetrics else None
        return (self.TaskInfo.LaunchTime or 0) + (run_ms or 0)
