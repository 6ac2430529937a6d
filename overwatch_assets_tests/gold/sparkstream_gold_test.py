import json
from datetime import date

import polars as pl

from overwatch_assets.gold.sparkstream_gold import PROGRESSED, STARTED, sparkstream_gold
from overwatch_assets.module import Overlap, Window
from overwatch_assets_tests.frames import Row, ms, table, utc

WINDOW = Window(since=utc("2024-05-07"), until=utc("2024-05-08"))


def started(at: str, **more: object) -> Row:
    return {
        "Event": STARTED,
        "SparkContextID": "ctx-1",
        "clusterId": "0506-1",
        "eventTimeMS": ms(at),
        "Timestamp": ms(at),
        "id": "6f0a-1",
        "runId": "9bd2-7",
        "name": "orders",
        **more,
    }


def progressed(
    at: str, triggered: str, batch: int = 41, told: dict[str, object] | None = None
) -> Row:
    progress = {
        "id": "6f0a-1",
        "runId": "9bd2-7",
        "batchId": batch,
        "timestamp": triggered,
        **(told or {}),
    }
    return {
        "Event": PROGRESSED,
        "SparkContextID": "ctx-1",
        "clusterId": "0506-1",
        "eventTimeMS": ms(at),
        "progress": json.dumps(progress),
    }


def execution(execution_id: int, ended: str, batch: str = "41", **more: object) -> Row:
    return {
        "SparkContextID": "ctx-1",
        "ExecutionID": execution_id,
        "description": f"orders<br/>id = 6f0a-1<br/>runId = 9bd2-7<br/>batch = {batch}",
        "SqlExecutionRunTime": {"endEpochMS": ms(ended)},
        "is_open": False,
        "end_imputed": False,
        **more,
    }


def streams(events: list[Row], executions: list[Row] | None = None) -> pl.DataFrame:
    made = sparkstream_gold(
        table("spark_events_bronze", *events),
        table("spark_executions_silver", *(executions or [])),
        window=WINDOW,
    )
    return made.collect().sort("stream_timestamp", "stream_batch_id")


def test_a_start_is_batch_minus_one() -> None:
    [row] = streams([started("2024-05-07 09:20")]).to_dicts()
    assert (row["streamSegment"], row["stream_batch_id"]) == ("Started", -1)
    assert (row["stream_id"], row["stream_run_id"], row["stream_name"]) == (
        "6f0a-1",
        "9bd2-7",
        "orders",
    )
    assert row["stream_timestamp"] == row["_decided_ms"] == ms("2024-05-07 09:20")
    assert (row["streaming_metrics"], row["execution_ids"]) == (None, None)


def test_a_batch_over_midnight_is_dated_by_its_start_and_decided_by_its_end() -> None:
    told: dict[str, object] = {
        "batchDuration": 120_000,
        "numInputRows": 120,
        "sources": [{"description": "DeltaSource"}],
        "stateOperators": [],
    }
    event = progressed("2024-05-07 00:01", "2024-05-06T23:59:00.000Z", told=told)
    [row] = streams([event]).to_dicts()
    assert (row["date"], row["_decided_ms"]) == (date(2024, 5, 6), ms("2024-05-07 00:01"))
    assert row["stream_timestamp"] == ms("2024-05-06 23:59")
    assert (row["streamSegment"], row["stream_name"]) == ("Progressed", None)
    metrics = row["streaming_metrics"]
    assert (metrics["batchDuration"], metrics["numInputRows"]) == (120_000, 120)
    assert metrics["sources"] == '[{"description":"DeltaSource"}]'
    assert metrics["stateOperators"] is None


def test_a_batch_lists_the_executions_that_ended_within_it() -> None:
    event = progressed("2024-05-07 00:01", "2024-05-06T23:59:00.000Z")
    executions = [
        execution(12, "2024-05-07 00:00"),
        execution(11, "2024-05-06 23:59"),
        execution(13, "2024-05-07 00:01"),
        execution(14, "2024-05-07 00:01:00.001"),
        execution(15, "2024-05-06 23:58:59.999"),
        execution(16, "2024-05-07 00:00", batch="42"),
        execution(17, "2024-05-07 00:00", batch="init"),
        execution(18, "2024-05-07 00:00", SparkContextID="ctx-2"),
        execution(19, "2024-05-07 00:00", end_imputed=True),
        execution(20, "2024-05-07 00:00", description=None),
    ]
    assert streams([event], executions)["execution_ids"].to_list() == [[11, 12, 13]]


def test_the_earliest_batch_start_says_how_far_back_executions_are_read() -> None:
    read = sparkstream_gold.reads["spark_executions_silver"]
    assert isinstance(read, Overlap)
    events = [
        progressed("2024-05-07 00:01", "2024-05-06T23:59:00.000Z"),
        progressed("2024-05-07 00:03", "2024-05-07T00:02:00.000Z", batch=42),
    ]
    starts = read.since(spark_events_bronze=table("spark_events_bronze", *events)).min().collect()
    assert starts.item() == ms("2024-05-06 23:59")
    none = read.since(spark_events_bronze=table("spark_events_bronze")).min().collect()
    assert none.item() is None


def test_the_same_progress_at_two_times_is_one_row() -> None:
    events = [
        progressed("2024-05-07 00:02", "2024-05-06T23:59:00.000Z"),
        progressed("2024-05-07 00:01", "2024-05-06T23:59:00.000Z"),
    ]
    made = streams(events)
    kept = made.filter(pl.col("_left_out").is_null())
    assert kept["_decided_ms"].to_list() == [ms("2024-05-07 00:01")]
    assert made["_left_out"].drop_nulls().to_list() == ["repeated_event"]


def test_a_day_without_streams_has_no_rows() -> None:
    other = {"Event": "SparkListenerJobStart", "eventTimeMS": ms("2024-05-07 09:20")}
    assert streams([other]).is_empty()
