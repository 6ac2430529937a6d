"""Shapes that Spark events have in bronze and keep in silver and gold."""

import polars as pl

FILENAME_GROUP = pl.Struct(
    {
        "filename": pl.String,
        "byCluster": pl.String,
        "byDriverHost": pl.String,
        "bySparkContext": pl.String,
    }
)
ACCUMULABLES = pl.List(
    pl.Struct(
        {
            "ID": pl.Int64,
            "Name": pl.String,
            "Update": pl.String,
            "Value": pl.String,
            "Internal": pl.Boolean,
            "CountFailedValues": pl.Boolean,
            "Metadata": pl.String,
        }
    )
)
STACK_TRACE = pl.List(
    pl.Struct(
        {
            "DeclaringClass": pl.String,
            "MethodName": pl.String,
            "FileName": pl.String,
            "LineNumber": pl.Int64,
        }
    )
)
JOB_RESULT = pl.Struct(
    {
        "Result": pl.String,
        "Exception": pl.Struct({"Message": pl.String, "StackTrace": STACK_TRACE}),
    }
)
EXECUTOR_INFO = pl.Struct(
    {
        "Host": pl.String,
        "TotalCores": pl.Int64,
        "LogUrls": pl.Map(pl.String, pl.String),
        "Attributes": pl.Map(pl.String, pl.String),
    }
)
STAGE_INFO = pl.Struct(
    {
        "Accumulables": ACCUMULABLES,
        "CompletionTime": pl.Int64,
        "Details": pl.String,
        "FailureReason": pl.String,
        "NumberofTasks": pl.Int64,
        "ParentIDs": pl.List(pl.Int64),
        "SubmissionTime": pl.Int64,
    }
)
TASK_INFO = pl.Struct(
    {
        "Failed": pl.Boolean,
        "FinishTime": pl.Int64,
        "GettingResultTime": pl.Int64,
        "Host": pl.String,
        "Index": pl.Int64,
        "Killed": pl.Boolean,
        "LaunchTime": pl.Int64,
        "Locality": pl.String,
        "Speculative": pl.Boolean,
    }
)
TASK_END_REASON = pl.Struct(
    {
        "Reason": pl.String,
        "ClassName": pl.String,
        "Description": pl.String,
        "FullStackTrace": pl.String,
        "KillReason": pl.String,
        "LossReason": pl.String,
        "StackTrace": STACK_TRACE,
        "AccumulatorUpdates": pl.List(
            pl.Struct(
                {
                    "ID": pl.Int64,
                    "Update": pl.String,
                    "Internal": pl.Boolean,
                    "CountFailedValues": pl.Boolean,
                }
            )
        ),
        "BlockManagerAddress": pl.Struct(
            {"ExecutorID": pl.String, "Host": pl.String, "Port": pl.Int64}
        ),
        "ShuffleID": pl.Int64,
        "MapID": pl.Int64,
        "ReduceID": pl.Int64,
        "ExecutorID": pl.String,
    }
)
TASK_METRICS = pl.Struct(
    {
        "ExecutorDeserializeTime": pl.Int64,
        "ExecutorDeserializeCPUTime": pl.Int64,
        "ExecutorRunTime": pl.Int64,
        "ExecutorCPUTime": pl.Int64,
        "PeakExecutionMemory": pl.Int64,
        "ResultSize": pl.Int64,
        "JVMGCTime": pl.Int64,
        "ResultSerializationTime": pl.Int64,
        "MemoryBytesSpilled": pl.Int64,
        "DiskBytesSpilled": pl.Int64,
        "ShuffleReadMetrics": pl.Struct(
            {
                "RemoteBlocksFetched": pl.Int64,
                "LocalBlocksFetched": pl.Int64,
                "FetchWaitTime": pl.Int64,
                "RemoteBytesRead": pl.Int64,
                "RemoteBytesReadToDisk": pl.Int64,
                "LocalBytesRead": pl.Int64,
                "TotalRecordsRead": pl.Int64,
            }
        ),
        "ShuffleWriteMetrics": pl.Struct(
            {
                "ShuffleBytesWritten": pl.Int64,
                "ShuffleWriteTime": pl.Int64,
                "ShuffleRecordsWritten": pl.Int64,
            }
        ),
        "InputMetrics": pl.Struct({"BytesRead": pl.Int64, "RecordsRead": pl.Int64}),
        "OutputMetrics": pl.Struct({"BytesWritten": pl.Int64, "RecordsWritten": pl.Int64}),
    }
)
TASK_EXECUTOR_METRICS = pl.Struct(
    {
        "JVMHeapMemory": pl.Int64,
        "JVMOffHeapMemory": pl.Int64,
        "OnHeapExecutionMemory": pl.Int64,
        "OffHeapExecutionMemory": pl.Int64,
        "OnHeapStorageMemory": pl.Int64,
        "OffHeapStorageMemory": pl.Int64,
        "OnHeapUnifiedMemory": pl.Int64,
        "OffHeapUnifiedMemory": pl.Int64,
        "DirectPoolMemory": pl.Int64,
        "MappedPoolMemory": pl.Int64,
        "ProcessTreeJVMVMemory": pl.Int64,
        "ProcessTreeJVMRSSMemory": pl.Int64,
        "ProcessTreePythonVMemory": pl.Int64,
        "ProcessTreePythonRSSMemory": pl.Int64,
        "ProcessTreeOtherVMemory": pl.Int64,
        "ProcessTreeOtherRSSMemory": pl.Int64,
        "MinorGCCount": pl.Int64,
        "MinorGCTime": pl.Int64,
        "MajorGCCount": pl.Int64,
        "MajorGCTime": pl.Int64,
        "TotalGCTime": pl.Int64,
    }
)
