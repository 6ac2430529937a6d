from datetime import date

import polars as pl

from overwatch_assets.gold.jobrun_gold import jobrun_gold
from overwatch_assets_tests.frames import ms
from overwatch_assets_tests.silver.job_days import JobDays, event

MONDAY, TUESDAY = date(2024, 5, 6), date(2024, 5, 7)


def test_a_row_is_a_run_under_business_names_and_what_is_known_of_job_runs_is_none() -> None:
    start = event(
        f"{MONDAY} 23:00",
        "runStart",
        runId=501,
        multitaskParentRunId=500,
        jobId=10,
        taskKey="a",
        clusterId="c-1",
        jobClusterType="existing",
        jobTaskType="notebook",
        jobTriggerType="manual",
    )
    end = event(f"{TUESDAY} 01:00", "runFailed", runId=501, multitaskParentRunId=500,
                jobTerminalState="Failed")  # fmt: skip
    asked = event(f"{MONDAY} 22:00", "runNow", result={"run_id": 500}, job_id=10)
    days = JobDays(jobrun_gold, [asked, start, end], days=2).load()
    rows = days.rows().sort("partition_date")
    run = (10, 501, 500, 501, "a", "c-1", "a", 500, "existing", "notebook", "manual", "a")
    columns = (
        "job_id", "run_id", "job_run_id", "task_run_id", "task_key", "cluster_id", "cluster_name",
        "multitask_parent_run_id", "cluster_type", "task_type", "job_trigger_type", "run_name",
    )  # fmt: skip
    assert rows.select(columns).rows() == [run, run]
    ends = pl.col("task_runtime").struct.field("endEpochMS")
    columns = ("partition_date", "is_open", "terminal_state", "end_imputed", "startEpochMS")
    began, over = ms(f"{MONDAY} 23:00"), ms(f"{TUESDAY} 01:00")
    assert rows.select(*columns, ends).rows() == [
        (MONDAY, True, None, False, began, None),
        (TUESDAY, False, "Failed", False, began, over),
    ]
    asked_ms = pl.col("time_detail").struct.field("submissionTime")
    assert rows.select(asked_ms).to_series().to_list() == [ms(f"{MONDAY} 22:00")] * 2
