"""Logs of one day with as many tasks as one likes, streamed to compressed files."""

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path

from benchmarks.logs import Facts, Log

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

DAY = date(2026, 10, 5)
TASKS_PER_STAGE = 2_000
BUFFER_TASKS = 5_000
EXECUTORS = 64
DAY_MS = 86_400_000

APPLICATION = (
    '{"Event":"SparkListenerLogStart","Spark Version":"3.5.1"}\n'
    '{"Event":"SparkListenerApplicationStart","App Name":"nightly load",'
    '"App ID":"app-%(number)04d","Timestamp":%(ms)d,"User":"etl"}\n'
)
JOB_START = (
    '{"Event":"SparkListenerJobStart","Job ID":%(job)d,"Submission Time":%(ms)d,'
    '"Stage Infos":[],"Stage IDs":[%(job)d],"Properties":{"spark.app.name":"nightly load"}}\n'
    '{"Event":"SparkListenerStageSubmitted","Stage Info":{"Stage ID":%(job)d,"Stage Attempt ID":0,'
    '"Stage Name":"save","Number of Tasks":%(tasks)d,"RDD Info":[],"Parent IDs":[],"Details":"",'
    '"Submission Time":%(ms)d,"Accumulables":[]}}\n'
)
TASK_INFO = (
    '{"Task ID":%(task)d,"Index":%(index)d,"Attempt":0,"Partition ID":%(index)d,'
    '"Launch Time":%(ms)d,"Executor ID":"%(executor)d","Host":"10.0.0.%(executor)d",'
    '"Locality":"PROCESS_LOCAL","Speculative":false,"Getting Result Time":0,'
    '"Finish Time":%(end)d,"Failed":false,"Killed":false,"Accumulables":[]}'
)
TASK_START = (
    '{"Event":"SparkListenerTaskStart","Stage ID":%(job)d,"Stage Attempt ID":0,"Task Info":'
    + TASK_INFO.replace("%(end)d", "0")
    + "}\n"
)
TASK_END = (
    '{"Event":"SparkListenerTaskEnd","Stage ID":%(job)d,"Stage Attempt ID":0,'
    '"Task Type":"ResultTask","Task End Reason":{"Reason":"Success"},"Task Info":'
    + TASK_INFO
    + ',"Task Executor Metrics":{"JVMHeapMemory":%(heap)d,"JVMOffHeapMemory":0,"MinorGCCount":1,'
    '"MinorGCTime":2},"Task Metrics":{"Executor Deserialize Time":2,'
    '"Executor Deserialize CPU Time":1500000,"Executor Run Time":%(run)d,'
    '"Executor CPU Time":%(cpu)d,'
    '"Peak Execution Memory":%(heap)d,"Result Size":2100,"JVM GC Time":1,'
    '"Result Serialization Time":0,'
    '"Memory Bytes Spilled":0,"Disk Bytes Spilled":0,'
    '"Shuffle Read Metrics":{"Remote Blocks Fetched":4,'
    '"Local Blocks Fetched":1,"Fetch Wait Time":0,"Remote Bytes Read":%(read)d,'
    '"Remote Bytes Read To Disk":0,"Local Bytes Read":100,"Total Records Read":%(run)d},'
    '"Shuffle Write Metrics":{"Shuffle Bytes Written":%(read)d,"Shuffle Write Time":10,'
    '"Shuffle Records Written":%(run)d},"Input Metrics":{"Bytes Read":%(read)d,"Records Read":10},'
    '"Output Metrics":{"Bytes Written":0,"Records Written":0},"Updated Blocks":[]}}\n'
)
JOB_END = (
    '{"Event":"SparkListenerStageCompleted","Stage Info":{"Stage ID":%(job)d,"Stage Attempt ID":0,'
    '"Stage Name":"save","Number of Tasks":%(tasks)d,"RDD Info":[],"Parent IDs":[],"Details":"",'
    '"Submission Time":%(begun)d,"Completion Time":%(ms)d,"Accumulables":[]}}\n'
    '{"Event":"SparkListenerJobEnd","Job ID":%(job)d,"Completion Time":%(ms)d,'
    '"Job Result":{"Result":"JobSucceeded"}}\n'
)


def huge_log(scratch: Path, tasks: int, logs: int) -> Log:
    """Write a day's tasks, each one's launch and end, into logs of one application each."""
    folder = scratch / "huge-log"
    folder.mkdir()
    shares = [tasks // logs + (number < tasks % logs) for number in range(logs)]
    written = [
        _write(folder / f"app-{number:04}.zstd", number, share)
        for number, share in enumerate(shares)
    ]
    jobs = sum(-(-share // TASKS_PER_STAGE) for share in shares)
    return Log(
        name=f"{tasks:,} tasks in {logs} logs",
        folder=folder,
        files=tuple(sorted(folder.iterdir())),
        size_bytes=sum(size for size, _ in written),
        facts=Facts(tasks=tasks, jobs=jobs, stages=jobs, run_time_ms=sum(ms for _, ms in written)),
        first_day=DAY,
        last_day=DAY,
    )


def _write(path: Path, number: int, tasks: int) -> tuple[int, int]:
    """Write a log; returns its size before it is compressed, and its tasks' run time."""
    size = 0
    run_time_ms = 0
    with zstd.open(path, "wb", level=1) as file:
        for text, run_ms in _texts(number, tasks):
            encoded = text.encode()
            file.write(encoded)
            size += len(encoded)
            run_time_ms += run_ms
    return size, run_time_ms


def _texts(number: int, tasks: int) -> Iterator[tuple[str, int]]:
    """A log's lines, some at a time, with the run time of the tasks that end in them."""
    midnight = round(datetime.combine(DAY, time(), UTC).timestamp() * 1000)
    yield APPLICATION % {"number": number, "ms": midnight}, 0
    # The last end lies in the day.
    step = (DAY_MS - 60_000) / max(tasks, 1)
    for job, first in enumerate(range(0, tasks, TASKS_PER_STAGE)):
        of_job = range(first, min(first + TASKS_PER_STAGE, tasks))
        begun = midnight + int(first * step) + 1
        yield JOB_START % {"job": job, "ms": begun, "tasks": len(of_job)}, 0
        lines: list[str] = []
        total = 0
        for task in of_job:
            ms = midnight + int(task * step) + 2
            run = 100 + task * 7919 % 1_900
            values = {
                "job": job,
                "task": task,
                "index": task - first,
                "ms": ms,
                "end": ms + run + 5,
                "run": run,
                "cpu": run * 800_000 + task % 1_000,
                "heap": 500_000_000 + task * 104_729 % 1_000_000,
                "read": task * 15_485_863 % 10_000_000,
                "executor": task % EXECUTORS,
            }
            lines += (TASK_START % values, TASK_END % values)
            total += run
        yield "".join(lines), total
        ended = midnight + int(of_job[-1] * step) + 2_010
        yield JOB_END % {"job": job, "begun": begun, "ms": ended, "tasks": len(of_job)}, 0
