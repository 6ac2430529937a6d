"""The task events of a Spark event log: nine tenths of its bytes.

Keys, their order and their types are those of Databricks' logs: SQL accumulables are text,
internal ones numbers.
"""

from collections.abc import Iterable

from overwatch_assets.demo.world import Ending, StageAttempt, Task, TaskMetrics

Json = dict[str, object]

ERROR_CLASS = "java.lang.ArithmeticException"
ERROR_TEXT = "/ by zero"
STACK = (
    ("com.tidewater.pricing.MarginUdf", "apply", "MarginUdf.scala", 41),
    ("org.apache.spark.sql.catalyst.expressions.GeneratedClass$GeneratedIteratorForCodegenStage2",
     "processNext", "Unknown Source", -1),
    ("org.apache.spark.sql.execution.BufferedRowIterator", "hasNext",
     "BufferedRowIterator.java", 43),
    ("org.apache.spark.scheduler.ResultTask", "runTask", "ResultTask.scala", 86),
    ("org.apache.spark.scheduler.Task", "run", "Task.scala", 136),
    ("org.apache.spark.executor.Executor$TaskRunner", "run", "Executor.scala", 606),
    ("java.lang.Thread", "run", "Thread.java", 750),
)  # fmt: skip
EXECUTOR_PEAKS = (
    "JVMHeapMemory",
    "JVMOffHeapMemory",
    "OnHeapExecutionMemory",
    "OffHeapExecutionMemory",
    "OnHeapStorageMemory",
    "OffHeapStorageMemory",
    "OnHeapUnifiedMemory",
    "OffHeapUnifiedMemory",
    "DirectPoolMemory",
    "MappedPoolMemory",
    "ProcessTreeJVMVMemory",
    "ProcessTreeJVMRSSMemory",
    "ProcessTreePythonVMemory",
    "ProcessTreePythonRSSMemory",
    "ProcessTreeOtherVMemory",
    "ProcessTreeOtherRSSMemory",
    "MinorGCCount",
    "MinorGCTime",
    "MajorGCCount",
    "MajorGCTime",
    "TotalGCTime",
)


def task_start(stage: StageAttempt, task: Task) -> Json:
    """A task was launched."""
    return {
        "Event": "SparkListenerTaskStart",
        "Stage ID": stage.stage_id,
        "Stage Attempt ID": stage.attempt,
        "Task Info": _task_info(task, [], has_ended=False),
    }


def speculation(stage: StageAttempt) -> Json:
    """A copy of a slow task was asked for; carries no time."""
    return {
        "Event": "org.apache.spark.scheduler.SparkListenerSpeculativeTaskSubmitted",
        "stageId": stage.stage_id,
        "stageAttemptId": stage.attempt,
    }


def task_end(stage: StageAttempt, task: Task, accumulables: list[Json], *, is_result: bool) -> Json:
    """A task ended; without metrics when its executor was lost."""
    line: Json = {
        "Event": "SparkListenerTaskEnd",
        "Stage ID": stage.stage_id,
        "Stage Attempt ID": stage.attempt,
        "Task Type": "ResultTask" if is_result else "ShuffleMapTask",
        "Task End Reason": _end_reason(stage, task),
        "Task Info": _task_info(task, accumulables, has_ended=True),
        "Task Executor Metrics": _executor_peaks(task.metrics),
    }
    if task.metrics is not None:
        line["Task Metrics"] = _task_metrics(task.metrics)
    return line


def accumulator_updates(metrics: TaskMetrics) -> Iterable[tuple[int, str, int]]:
    """Yield what a task adds to its stage's accumulators: position, name and amount."""
    figures = (
        ("duration", metrics.run_ms),
        ("number of output rows", metrics.input_records or metrics.shuffle_records_read),
        ("peak memory", metrics.peak_memory),
        ("spill size", metrics.memory_spilled),
        ("shuffle bytes written", metrics.shuffle_bytes_written),
        ("internal.metrics.executorRunTime", metrics.run_ms),
        ("internal.metrics.executorCpuTime", metrics.cpu_ns),
        ("internal.metrics.resultSize", metrics.result_size),
        ("internal.metrics.jvmGCTime", metrics.gc_ms),
        ("internal.metrics.shuffle.read.remoteBytesRead", metrics.remote_bytes_read),
        ("internal.metrics.shuffle.read.recordsRead", metrics.shuffle_records_read),
        ("internal.metrics.shuffle.write.bytesWritten", metrics.shuffle_bytes_written),
        ("internal.metrics.input.bytesRead", metrics.input_bytes),
        ("internal.metrics.output.bytesWritten", metrics.output_bytes),
    )
    for position, (name, amount) in enumerate(figures):
        if amount:
            yield position, name, amount


def accumulable(accumulator_id: int, name: str, value: int, update: int | None = None) -> Json:
    """An accumulable of a task (with what the task added) or of a stage (without)."""
    is_internal_metric = name.startswith("internal.")

    def spelled(amount: int) -> object:
        return amount if is_internal_metric else str(amount)

    added: Json = {} if update is None else {"Update": spelled(update)}
    kind: Json = {} if is_internal_metric else {"Metadata": "sql"}
    return {
        "ID": accumulator_id,
        "Name": name,
        **added,
        "Value": spelled(value),
        "Internal": True,
        "Count Failed Values": True,
        **kind,
    }


def stack_trace() -> list[Json]:
    """Where the error of the company's own function comes from."""
    return [
        {"Declaring Class": at, "Method Name": method, "File Name": file, "Line Number": n}
        for at, method, file, n in STACK
    ]


def _task_info(task: Task, accumulables: list[Json], *, has_ended: bool) -> Json:
    return {
        "Task ID": task.task_id,
        "Index": task.index,
        "Attempt": task.attempt,
        "Partition ID": task.index,
        "Launch Time": task.launched_ms,
        "Executor ID": task.executor.executor_id,
        "Host": task.executor.host,
        "Locality": "PROCESS_LOCAL",
        "Speculative": task.is_speculative,
        "Getting Result Time": 0,
        "Finish Time": task.finished_ms if has_ended else 0,
        "Failed": has_ended and task.ending not in {Ending.SUCCESS, Ending.KILLED},
        "Killed": has_ended and task.ending is Ending.KILLED,
        "Accumulables": accumulables,
    }


def _end_reason(stage: StageAttempt, task: Task) -> Json:
    reason: Json = {"Reason": task.ending}
    ran = task.metrics.run_ms if task.metrics else 0
    updates = [
        {
            "ID": stage.accumulator_id + 10,
            "Update": str(ran),
            "Internal": False,
            "Count Failed Values": True,
        }
    ]
    match task.ending:
        case Ending.EXCEPTION:
            frames = "".join(f"\n\tat {at}.{method}({file}:{n})" for at, method, file, n in STACK)
            reason |= {
                "Class Name": ERROR_CLASS,
                "Description": ERROR_TEXT,
                "Stack Trace": stack_trace(),
                "Full Stack Trace": f"{ERROR_CLASS}: {ERROR_TEXT}{frames}\n",
                "Accumulator Updates": updates,
            }
        case Ending.KILLED:
            reason |= {"Kill Reason": task.kill_reason, "Accumulator Updates": updates}
        case Ending.EXECUTOR_LOST:
            reason |= {
                "Executor ID": task.executor.executor_id,
                "Exit Caused By App": False,
                "Loss Reason": task.executor.removed_reason,
            }
        case Ending.FETCH_FAILED:
            reason |= {
                "Block Manager Address": {
                    "Executor ID": task.executor.executor_id,
                    "Host": task.executor.host,
                    "Port": 35671,
                },
                "Shuffle ID": stage.parent_ids[0],
                "Map ID": 5,
                "Map Index": 5,
                "Reduce ID": task.index,
                "Message": stage.failure,
            }
        case _:
            pass
    return reason


def _executor_peaks(metrics: TaskMetrics | None) -> Json:
    peaks: Json = dict.fromkeys(EXECUTOR_PEAKS, 0)
    if metrics is not None and metrics.result_size:
        peaks |= {
            "JVMHeapMemory": 1_400_000_000 + metrics.cpu_ns % 900_000_000,
            "JVMOffHeapMemory": 147_490_248,
            "OnHeapExecutionMemory": metrics.peak_memory,
            "OnHeapUnifiedMemory": metrics.peak_memory + 278_179,
            "MinorGCCount": 12 + metrics.gc_ms // 9,
            "MinorGCTime": metrics.gc_ms * 3,
        }
    return peaks


def _task_metrics(metrics: TaskMetrics) -> Json:
    return {
        "Executor Deserialize Time": metrics.deserialize_ms,
        "Executor Deserialize CPU Time": metrics.deserialize_ms * 810_000,
        "Executor Run Time": metrics.run_ms,
        "Executor CPU Time": metrics.cpu_ns,
        "Peak Execution Memory": metrics.peak_memory,
        "Result Size": metrics.result_size,
        "JVM GC Time": metrics.gc_ms,
        "Result Serialization Time": 0,
        "Memory Bytes Spilled": metrics.memory_spilled,
        "Disk Bytes Spilled": metrics.disk_spilled,
        "Shuffle Read Metrics": {
            "Remote Blocks Fetched": metrics.remote_bytes_read // 700_000,
            "Local Blocks Fetched": metrics.local_bytes_read // 700_000,
            "Fetch Wait Time": metrics.fetch_wait_ms,
            "Remote Bytes Read": metrics.remote_bytes_read,
            "Remote Bytes Read To Disk": 0,
            "Local Bytes Read": metrics.local_bytes_read,
            "Total Records Read": metrics.shuffle_records_read,
        },
        "Shuffle Write Metrics": {
            "Shuffle Bytes Written": metrics.shuffle_bytes_written,
            "Shuffle Write Time": metrics.shuffle_write_ns,
            "Shuffle Records Written": metrics.shuffle_records_written,
        },
        "Input Metrics": {
            "Bytes Read": metrics.input_bytes,
            "Records Read": metrics.input_records,
        },
        "Output Metrics": {
            "Bytes Written": metrics.output_bytes,
            "Records Written": metrics.output_records,
        },
        "Updated Blocks": [],
    }
