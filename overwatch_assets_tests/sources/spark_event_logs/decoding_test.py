"""What of a line becomes columns; and that cutting lines short changes nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import cast

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets.sources.files import Files
from overwatch_assets.sources.spark_event_logs.decoding import TASK_END, BlockLines, Decoded
from overwatch_assets.sources.spark_event_logs.dispatch import dispatched
from overwatch_assets.sources.spark_event_logs.frames import frames_of_logs
from overwatch_assets.sources.spark_event_logs.lines import Block
from overwatch_assets.sources.spark_event_logs.records import frames_by_type
from overwatch_assets_tests.sources.spark_event_logs.lines import (
    NOON,
    compact,
    job_start,
    line,
    ms,
    task_end,
    task_start,
    text,
)

SQL = "org.apache.spark.sql.execution.ui.SparkListener"
STREAMING = "org.apache.spark.sql.streaming.StreamingQueryListener$"


def frames(*lines: bytes) -> dict[str, pl.DataFrame]:
    """Events by type."""
    whole = text(*lines)
    decoded = Decoded(latest_ms=2**63)
    decoded.add(BlockLines(Block(whole, 0, len(whole)), 1))
    assert decoded.bad == []
    return frames_by_type(decoded)


def only(event: bytes) -> dict[str, object]:
    [frame] = frames(event).values()
    [row] = frame.to_dicts()
    return row


def spelled_otherwise(event: bytes) -> bytes:
    """The same event, not recognised by its first bytes, so that nothing is cut out."""
    return b'{"a":0,' + event[1:]


def same(*lines: bytes) -> bool:
    cut = frames(*lines)
    whole = frames(*map(spelled_otherwise, lines))
    return all(cut[name].equals(whole[name]) for name in cut | whole)


def test_accumulables_and_executor_metrics_are_cut_out_before_decoding() -> None:
    whole = task_end(accumulables=[{"ID": 1, "Name": "n"}] * 50)
    found = dispatched(Block(whole, 0, len(whole)), 1)
    assert b"Accumulables" not in found.task_ends.texts[0]
    assert found.executor_metrics == [b'{"JVMHeapMemory":7}']


names = st.text("ab]}[{\\\"',:é\n") | st.sampled_from(
    ["],", '"]},"Task Executor Metrics":{', '"Accumulables":[', "]},", '},"Task Metrics":{"']
)
values = st.recursive(
    names | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.fixed_dictionaries({"ID": values, "Name": names, "Value": values}), max_size=4))
def test_cutting_accumulables_out_changes_nothing(accumulables: list[object]) -> None:
    assert same(task_end(accumulables=accumulables))


@given(st.dictionaries(names, values, max_size=4), st.dictionaries(names, values, max_size=4))
def test_cutting_executor_metrics_out_changes_nothing(
    executor_metrics: dict[str, object], metrics: dict[str, object]
) -> None:
    assert same(
        task_end(
            executor_metrics={"JVMHeapMemory": 1, **executor_metrics},
            metrics={"Result Size": 2, **metrics},
        )
    )


def test_old_logs_have_no_executor_metrics() -> None:
    event = json.loads(task_end(accumulables=[{"ID": 1}]))
    del event["Task Executor Metrics"]
    row = only(compact(event))
    assert row["TaskExecutorMetrics"] is None
    assert same(compact(event))


def test_a_task_without_metrics_has_none_not_nulls() -> None:
    event = json.loads(task_end())
    del event["Task Metrics"]
    rows = frames(compact(event), task_end(1))[TASK_END]
    metrics = rows["TaskMetrics"]
    assert metrics.is_null().to_list() == [True, False]
    assert metrics.struct.field("InputMetrics").is_null().to_list() == [True, True]


def test_a_failed_task_tells_why() -> None:
    reason = {
        "Reason": "FetchFailed",
        "Block Manager Address": {"Executor ID": "2", "Host": "h", "Port": 7337},
        "Stack Trace": [{"Declaring Class": "A", "Line Number": 1}],
        "Accumulator Updates": [{"ID": 5, "Update": [1, {"a": 2}], "Internal": False}],
        "Map ID": 3,
    }
    ends = frames(task_end(1), task_end(2, reason=reason), task_end(3, reason=reason))[TASK_END]
    told = ends["TaskEndReason"].to_list()
    assert [each["Reason"] for each in told] == ["Success", "FetchFailed", "FetchFailed"]
    assert told[1]["BlockManagerAddress"] == {"ExecutorID": "2", "Host": "h", "Port": 7337}
    assert told[2]["StackTrace"][0]["LineNumber"] == 1
    assert told[2]["AccumulatorUpdates"][0]["Update"] == '[1,{"a":2}]'
    assert (told[0]["StackTrace"], told[1]["MapID"]) == (None, 3)


def test_a_task_start_keeps_ids_launch_and_host_only() -> None:
    event = json.loads(task_start(4))
    event["Task Info"] |= {"Host": "h", "Locality": "ANY", "Failed": True, "Index": 9}
    row = only(compact(event))
    task = cast("dict[str, object]", row["TaskInfo"])
    assert {name: value for name, value in task.items() if value is not None} == {
        "TaskID": 4,
        "Attempt": 0,
        "LaunchTime": NOON,
        "ExecutorID": "1",
        "Host": "h",
    }


@pytest.mark.parametrize(
    ("finish", "launch", "run_time", "at"),
    [(0, 1000, 5, 1005), (0, 1000, None, 1000), (7000, 1000, 5, 7000), (0, 0, 5, None)],
)
def test_a_task_ends_at_its_finish_else_after_its_run_time(
    finish: int, launch: int, run_time: int | None, at: int | None
) -> None:
    event = json.loads(task_end(metrics={"Executor Run Time": run_time}))
    event["Task Info"] |= {"Finish Time": finish, "Launch Time": launch}
    assert only(compact(event))["eventTimeMS"] == at


def test_job_properties_are_kept_by_scrubbed_key_and_no_others() -> None:
    row = only(
        job_start(
            properties={
                "spark.app.name": "Databricks Shell",
                "spark.databricks.clusterUsageTags.clusterId": "k-1",
                "spark.databricks.token": "t",
                "spark.my.password": "p",
                "userId": "7",
                "spark.jobGroup.id": "",
            }
        )
    )
    assert row["Properties"] == {
        "sparkappname": "Databricks Shell",
        "sparkdatabricksclusterUsageTagsclusterId": "k-1",
        "userId": "7",
        "sparkjobGroupid": "",
    }
    assert row["clusterId"] == "k-1"


def test_settings_of_an_execution_lose_their_secrets_and_keep_their_names() -> None:
    row = only(
        line(
            f"{SQL}SQLExecutionStart",
            executionId=3,
            time=NOON,
            physicalPlanDescription="p" * 20_000,
            sparkPlanInfo={"nodeName": "x"},
            modifiedConfigs={
                "spark.sql.shuffle.partitions": "8",
                "spark.hadoop.fs.azure.account.key.a": "s",
                "spark.x.secretKey": "s",
                "spark.nothing": None,
                "spark.number": 5,
            },
        )
    )
    assert row["modifiedConfigs"] == {"spark.sql.shuffle.partitions": "8", "spark.number": "5"}
    assert row["physicalPlanDescription"] == "p" * 10_000


def test_a_streams_progress_is_kept_as_logged_and_dated_by_its_end() -> None:
    progress = {
        "id": "q",
        "runId": "r",
        "name": None,
        "timestamp": "2024-05-06T23:59:59.500Z",
        "batchId": 4,
        "batchDuration": 812,
        "durationMs": {"triggerExecution": 5},
    }
    logged = json.dumps(progress).encode()
    row = only(b'{"Event":"%bQueryProgressEvent","progress":%b}' % (STREAMING.encode(), logged))
    assert row["progress"] == logged.decode()
    assert (row["id"], row["runId"], row["name"], row["batchId"]) == ("q", "r", None, 4)
    started = ms("2024-05-06 23:59:59.500")
    assert (row["Timestamp"], row["eventTimeMS"]) == (started, started + 812)


def test_progress_without_its_duration_is_dated_by_the_trigger() -> None:
    progress = {"timestamp": "2024-05-06T10:00:00.000Z", "durationMs": {"triggerExecution": 5}}
    row = only(line(f"{STREAMING}QueryProgressEvent", progress=progress))
    assert row["eventTimeMS"] == ms("2024-05-06 10:00") + 5


@pytest.mark.parametrize(
    "stamp", [{"timestamp": "2024-05-06T10:00:00Z"}, {"Timestamp": 1714989600000}]
)
@pytest.mark.parametrize("name", ["QueryStartedEvent", "QueryStarted"])
def test_a_query_starts_at_either_spelling_of_its_timestamp(
    stamp: dict[str, object], name: str
) -> None:
    row = only(line(f"{STREAMING}{name}", id="q", runId="r", name="n", **stamp))
    assert (row["Timestamp"], row["name"]) == (ms("2024-05-06 10:00"), "n")


def test_stage_accumulables_keep_their_values_as_text() -> None:
    none: list[object] = []
    info = {
        "Stage ID": 2,
        "Stage Attempt ID": 1,
        "Completion Time": NOON,
        "Accumulables": [
            {"ID": 1, "Name": "a", "Value": 5},
            {"ID": 2, "Name": "b", "Value": "x", "Update": {"c": [1.5]}},
        ],
    }
    events = frames(
        line("SparkListenerStageCompleted", **{"Stage Info": info}),
        line("SparkListenerStageCompleted", **{"Stage Info": {"Stage ID": 3}}),
        line(
            "SparkListenerStageCompleted", **{"Stage Info": {"Stage ID": 4, "Accumulables": none}}
        ),
    )["SparkListenerStageCompleted"]
    told = events["StageInfo"].struct.field("Accumulables").to_list()
    assert [(each["Value"], each["Update"]) for each in told[0]] == [
        ("5", None),
        ("x", '{"c":[1.5]}'),
    ]
    assert told[1:] == [None, []]
    assert events["StageID"].to_list() == [2, 3, 4]


@pytest.mark.parametrize("spelled", [bytes, spelled_otherwise])
def test_types_that_are_not_asked_for_are_counted_and_not_read(
    spelled: Callable[[bytes], bytes],
) -> None:
    whole = text(*map(spelled, (task_start(1), task_end(1), task_end(2), job_start(3))))
    decoded = Decoded(latest_ms=2**63, types={"SparkListenerJobStart"})
    decoded.add(BlockLines(Block(whole, 0, len(whole)), 1))
    assert frames_by_type(decoded).keys() == {"SparkListenerJobStart"}
    assert decoded.counts == {
        "SparkListenerTaskStart": 1,
        TASK_END: 2,
        "SparkListenerJobStart": 1,
    }


def test_numbers_written_as_text_are_numbers() -> None:
    event = task_end(3).replace(b'"Task ID":3', b'"Task ID":"3"')
    task = only(event)["TaskInfo"]
    assert isinstance(task, dict)
    assert task["TaskID"] == 3


def test_logs_become_frames_by_type_without_any_storage(tmp_path: Path) -> None:
    for name, number in (("a", 1), ("b", 2)):
        (tmp_path / name).write_bytes(text(job_start(number), task_end(number)))
    paths = [str(tmp_path / name) for name in "ab"]
    by_type = frames_of_logs(Files(), paths)
    assert {name: events.height for name, events in by_type.items()} == {
        "SparkListenerJobStart": 2,
        "SparkListenerTaskEnd": 2,
    }
    assert by_type["SparkListenerJobStart"]["SparkContextID"].to_list() == ["a", "b"]
