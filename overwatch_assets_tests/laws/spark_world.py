"""Small made-up worlds of Spark events in which everything odd happens often.

Events are rows of `spark_events_bronze`, as a reader of log files would hand them over. A world
is a function of its seed.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import polars as pl

from overwatch_assets.bronze.spark_events_bronze import spark_events_bronze

HOUR = 3_600_000
DAY = 24 * HOUR
FIRST_DAY = date(2024, 3, 30)
"""A Saturday: on the next day clocks are put forward in Europe, on the third all that lives is
written down anew."""

DAYS = tuple(date.fromordinal(FIRST_DAY.toordinal() + number) for number in range(4))
START = round(datetime(2024, 3, 30, tzinfo=UTC).timestamp() * 1000)
END = START + len(DAYS) * DAY

SQL = "org.apache.spark.sql.execution.ui.SparkListenerSQLExecution"
STREAM = "org.apache.spark.sql.streaming.StreamingQueryListener$Query"

Row = dict[str, object]

_DECLARED = spark_events_bronze.table.columns
SCHEMA = pl.Schema({column.name: column.dtype for column in _DECLARED})


@dataclass
class SparkWorld:
    """Events of some applications over a few days.

    Attributes:
        seed: Decides everything.
        names_clusters: Whether every event tells its cluster; else one in five doesn't.
    """

    seed: int
    names_clusters: bool = False
    rows: list[Row] = field(default_factory=list[Row])

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)  # noqa: S311 - no secret
        clusters = ["0506-aaaa", "0506-bbbb", None]
        for number in range(5):
            self._context(f"ctx-{number}", self.random.choice(clusters))

    def frame(self) -> pl.DataFrame:
        """The events, in the order they happened to be read."""
        rows = list(self.rows)
        self.random.shuffle(rows)
        full = [{name: row.get(name) for name in SCHEMA} for row in rows]
        return pl.DataFrame(full, schema=SCHEMA, infer_schema_length=None)

    def _context(self, ctx: str, cluster: str | None) -> None:
        pick = self.random
        begin = self._snapped(START + pick.randrange(len(DAYS) * DAY))
        end = min(END - 1, begin + pick.choice([HOUR // 2, 6 * HOUR, 30 * HOUR, 60 * HOUR]))
        put = _Log(self, ctx, cluster)
        if pick.random() < 0.7:
            info = {"AppID": ctx, "AppName": "shell", "AppAttemptID": None, "User": "maria"}
            put("SparkListenerApplicationStart", begin, Timestamp=begin, applicationInfo=info)
        for number in range(2):
            self._executor(put, str(number), begin, end)
        for number in range(3):
            self._execution(put, number, begin, end)
            self._job(put, number, begin, end)
        for number in range(3):
            self._batch(put, number, begin, end)
        if pick.random() < 0.6:
            at = self._snapped(end)
            put("SparkListenerApplicationEnd", at, Timestamp=at)
            if pick.random() < 0.5:
                put("SparkListenerJobEnd", at + 12, JobID=0, CompletionTime=at + 12)
            if pick.random() < 0.3:
                late = at + 2 * HOUR
                put("SparkListenerJobEnd", late, JobID=1, CompletionTime=late)

    def _executor(self, put: "_Log", executor: str, begin: int, end: int) -> None:
        info = {"Host": "10.0.0.1", "TotalCores": 4, "LogUrls": None, "Attributes": None}
        added = self._between(begin, end)
        if self.random.random() < 0.9:
            put(
                "SparkListenerExecutorAdded",
                added, Timestamp=added, ExecutorID=executor, executorInfo=info,
            )  # fmt: skip
        for _ in range(self.random.choice([0, 1, 1, 2])):
            removed = self._between(added, end)
            put(
                "SparkListenerExecutorRemoved",
                removed, Timestamp=removed, ExecutorID=executor, RemovedReason="lost",
            )  # fmt: skip

    def _execution(self, put: "_Log", execution: int, begin: int, end: int) -> None:
        started = self._between(begin, end)
        if self.random.random() < 0.9:
            put(f"{SQL}Start", started, time=started, executionId=execution, description="q")
        for _ in range(self.random.choice([0, 1, 1, 2])):
            ended = self._between(started, end)
            put(f"{SQL}End", ended, time=ended, executionId=execution)

    def _job(self, put: "_Log", job: int, begin: int, end: int) -> None:
        started = self._between(begin, end)
        ended = self._between(started, end)
        properties = {"user": "maria", "sparksqlexecutionid": str(job)}
        if self.random.random() < 0.9:
            put(
                "SparkListenerJobStart",
                started, JobID=job, SubmissionTime=started, StageIDs=[job],
                Properties=[{"key": key, "value": value} for key, value in properties.items()],
            )  # fmt: skip
        for attempt in range(self.random.choice([1, 1, 2])):
            self._stage(put, job, attempt, started, ended)
        result = {"Result": "JobSucceeded", "Exception": None}
        for _ in range(self.random.choice([0, 1, 1, 2])):
            at = self._between(started, end)
            put("SparkListenerJobEnd", at, JobID=job, CompletionTime=at, JobResult=result)

    def _stage(self, put: "_Log", stage: int, attempt: int, begin: int, end: int) -> None:
        started = self._between(begin, end)
        ended = self._between(started, end)
        ids: Row = {"StageID": stage, "StageAttemptID": attempt}
        info: Row = {**ids, "SubmissionTime": started, "NumberofTasks": 3, "Details": "at cmd-1"}
        if self.random.random() < 0.9:
            put("SparkListenerStageSubmitted", started, **ids, StageInfo=_stage_info(info))
        for task in range(3):
            self._task(put, ids, stage * 100 + attempt * 10 + task, started, ended)
        for _ in range(self.random.choice([0, 1, 1, 2])):
            at = self._between(started, end)
            done = _stage_info({**info, "CompletionTime": at, "FailureReason": None})
            put("SparkListenerStageCompleted", at, **ids, StageInfo=done)

    def _task(self, put: "_Log", stage: Row, task: int, begin: int, end: int) -> None:
        launched = self._between(begin, end)
        executor = self.random.choice(["0", "1"])
        info: Row = {
            "TaskID": task, "Index": task, "Attempt": 0, "LaunchTime": launched,
            "ExecutorID": executor, "Host": "10.0.0.1",
        }  # fmt: skip
        ids = {**stage, "ExecutorID": executor}
        if self.random.random() < 0.9:
            put("SparkListenerTaskStart", launched, **ids, TaskInfo=_task_info(info))
        metrics: Row = {"ExecutorRunTime": self.random.randrange(10_000)}
        finished = launched
        for number in range(self.random.choice([0, 1, 1, 1, 2])):
            finished = self._between(finished, end)
            reason = "Success" if number == 0 else "Resubmitted"
            put(
                "SparkListenerTaskEnd",
                finished, **ids, TaskType="ResultTask",
                TaskInfo=_task_info({**info, "FinishTime": finished}),
                TaskEndReason=_of("TaskEndReason", {"Reason": reason}),
                TaskMetrics=_of("TaskMetrics", metrics) if number == 0 else None,
            )  # fmt: skip

    def _batch(self, put: "_Log", batch: int, begin: int, end: int) -> None:
        at = self._between(begin, end)
        started = datetime.fromtimestamp((at - HOUR) / 1000, UTC)
        text = started.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        progress = (
            f'{{"id":"s","runId":"r","name":"orders","timestamp":"{text}",'
            f'"batchId":{batch},"batchDuration":{HOUR}}}'
        )
        put(f"{STREAM}ProgressEvent", at, id="s", runId="r", batchId=batch, progress=progress)

    def _between(self, begin: int, end: int) -> int:
        return self._snapped(self.random.randint(begin, max(begin, end)), begin)

    def _snapped(self, instant: int, least: int = 0) -> int:
        """Often an hour's or a day's first or last millisecond: ties, midnights."""
        pick = self.random.random()
        if pick < 0.2:
            instant = instant // HOUR * HOUR
        elif pick < 0.35:
            instant = instant // DAY * DAY
        elif pick < 0.45:
            instant = instant // DAY * DAY + DAY - 1
        return min(END - 1, max(least, instant))


@dataclass
class _Log:
    """Where a context's events are written."""

    world: SparkWorld
    ctx: str
    cluster: str | None

    def __call__(self, event: str, instant: int, **more: object) -> None:
        if instant >= END:
            return
        name = f"dbfs:/logs/{self.ctx}/eventlog"
        group = {"filename": name, "byCluster": None, "byDriverHost": None, "bySparkContext": None}
        self.world.rows.append(
            {
                "Event": event,
                "clusterId": self.cluster if self._names_cluster() else None,
                "SparkContextID": self.ctx,
                "eventTimeMS": instant,
                "filename": name,
                "filenameGroup": group,
                **more,
            }
        )

    def _names_cluster(self) -> bool:
        return self.world.names_clusters or self.world.random.random() < 0.8


def _of(column: str, values: Row) -> Row:
    dtype = SCHEMA[column]
    assert isinstance(dtype, pl.Struct)
    return {each.name: values.get(each.name) for each in dtype.fields}


def _stage_info(values: Row) -> Row:
    return _of("StageInfo", values)


def _task_info(values: Row) -> Row:
    return _of("TaskInfo", values)
