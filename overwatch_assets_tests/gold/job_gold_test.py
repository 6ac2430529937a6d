from datetime import UTC, date, datetime

from overwatch_assets.gold.job_gold import job_gold
from overwatch_assets_tests.silver.job_days import JobDays, capture, event

MONDAY, TUESDAY = date(2024, 5, 6), date(2024, 5, 7)


def test_a_row_is_a_change_under_business_names() -> None:
    created = event(
        "2024-05-06 10:00:00.123",
        "create",
        result={"job_id": 7},
        name="etl",
        format="MULTI_TASK",
        tasks=[{"task_key": "a"}],
    )
    deleted = event("2024-05-07 10:00", "delete", "dave", request="q", job_id=7)
    shown = capture("2024-05-07 06:00", 8, {"name": "old"}, created_time=5)
    days = JobDays(job_gold, [created, deleted], [shown], days=2).load()
    rows = days.rows().sort("unixTimeMS")
    columns = ("partition_date", "job_id", "action", "job_name", "job_format", "request_id")
    assert rows.select(columns).rows() == [
        (MONDAY, 8, "snapImpute", "old", None, "-1"),
        (MONDAY, 7, "create", "etl", "MULTI_TASK", "r"),
        (TUESDAY, 7, "delete", "etl", "MULTI_TASK", "q"),
    ]
    moment = datetime(2024, 5, 6, 10, 0, 0, 123_000, tzinfo=UTC)
    assert rows.select("timestamp", "date", "created_ts", "is_from_dlt").row(1) == (
        moment,
        MONDAY,
        1_714_989_600_123,
        False,
    )
    assert rows["deleted_ts"].to_list() == [None, None, 1_715_076_000_000]
    assert rows["tasks"].list.len().to_list() == [None, 1, 1]
