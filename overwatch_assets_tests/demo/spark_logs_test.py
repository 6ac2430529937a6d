import json
from itertools import pairwise
from pathlib import Path

from overwatch_assets.demo.write import DemoWorkspace
from overwatch_assets_tests.demo.reading import (
    Event,
    context_folders,
    day_of,
    event_time,
    events_of,
    lines_of,
    parsed,
)

HOUR_MS = 3_600_000
PROGRESS = "org.apache.spark.sql.streaming.StreamingQueryListener$QueryProgressEvent"
EXECUTION = "org.apache.spark.sql.execution.ui.SparkListenerSQLExecution"


def all_events(workspace: DemoWorkspace) -> list[Event]:
    folders = context_folders(workspace.log_folder)
    return [event for folder in folders for event in events_of(folder)]


def of_type(events: list[Event], name: str) -> list[Event]:
    return [event for event in events if event["Event"] == name]


def task_ends(workspace: DemoWorkspace, reason: str) -> list[Event]:
    ends = of_type(all_events(workspace), "SparkListenerTaskEnd")
    return [event for event in ends if event["Task End Reason"]["Reason"] == reason]


def timed(folder: Path) -> list[int]:
    times = (event_time(event) for event in events_of(folder))
    return [at_ms for at_ms in times if at_ms is not None]


def stream_folders(workspace: DemoWorkspace) -> list[Path]:
    folders = context_folders(workspace.log_folder)
    return [folder for folder in folders if of_type(events_of(folder), PROGRESS)]


def longest_stream(workspace: DemoWorkspace) -> Path:
    return max(stream_folders(workspace), key=lambda folder: len(list(folder.iterdir())))


def test_every_file_begins_with_the_header_of_its_context(workspace: DemoWorkspace) -> None:
    for folder in context_folders(workspace.log_folder):
        headers = [json.loads(lines_of(path)[0]) for path in sorted(folder.iterdir())]
        assert {each["Event"] for each in headers} == {"DBCEventLoggingListenerMetadata"}
        assert {str(each["SparkContext Id"]) for each in headers} == {folder.name}
        numbers = sorted(each["Rollover Number"] for each in headers)
        assert numbers == list(range(len(headers)))


def test_no_context_tells_its_end(workspace: DemoWorkspace) -> None:
    assert not of_type(all_events(workspace), "SparkListenerApplicationEnd")


def test_a_file_is_as_old_as_its_delivery(workspace: DemoWorkspace) -> None:
    for folder in context_folders(workspace.log_folder):
        for path in folder.iterdir():
            events = [parsed(line) for line in lines_of(path)]
            last = max(event_time(event) or 0 for event in events if event is not None)
            modified = path.stat().st_mtime_ns // 10**6
            assert last < modified <= last + HOUR_MS + 100_000


def test_an_hourly_archive_holds_only_its_hour(workspace: DemoWorkspace) -> None:
    for folder in context_folders(workspace.log_folder):
        for path in folder.glob("*.gz"):
            events = [event for event in map(parsed, lines_of(path)) if event is not None]
            times = [at_ms for at_ms in map(event_time, events) if at_ms is not None]
            assert {at_ms // HOUR_MS for at_ms in times} == {times[0] // HOUR_MS}


def test_events_are_written_in_the_order_of_time(workspace: DemoWorkspace) -> None:
    for folder in context_folders(workspace.log_folder):
        for path in folder.iterdir():
            events = [event for event in map(parsed, lines_of(path)) if event is not None]
            times = [at_ms for at_ms in map(event_time, events) if at_ms is not None]
            assert all(before <= after for before, after in pairwise(times))


def test_a_live_file_still_holds_what_was_rolled_last(workspace: DemoWorkspace) -> None:
    folder = longest_stream(workspace)
    rolled = lines_of(max(folder.glob("*.gz")))[1:]
    live = lines_of(folder / "eventlog")[1:]
    assert live[: len(rolled)] == rolled
    assert len(live) > len(rolled)


def test_one_line_is_torn_and_written_again(workspace: DemoWorkspace) -> None:
    [(torn, after)] = [
        (line, after)
        for folder in context_folders(workspace.log_folder)
        for path in folder.iterdir()
        for line, after in pairwise(lines_of(path))
        if parsed(line) is None
    ]
    assert after.startswith(torn)


def test_contexts_jobs_and_stages_run_over_midnight(workspace: DemoWorkspace) -> None:
    folders = context_folders(workspace.log_folder)
    over = [folder for folder in folders if len({day_of(at) for at in timed(folder)}) > 1]
    assert len(over) >= 3
    spans = 0
    for folder in over:
        stages = of_type(events_of(folder), "SparkListenerStageCompleted")
        times = [each["Stage Info"] for each in stages]
        spans += sum(
            day_of(each["Submission Time"]) < day_of(each["Completion Time"]) for each in times
        )
    assert spans >= 3


def test_the_stream_never_ends(workspace: DemoWorkspace) -> None:
    events = events_of(longest_stream(workspace))
    started = {each["Job ID"] for each in of_type(events, "SparkListenerJobStart")}
    ended = {each["Job ID"] for each in of_type(events, "SparkListenerJobEnd")}
    assert len(started - ended) == 1
    assert len(of_type(events, f"{EXECUTION}Start")) == len(of_type(events, f"{EXECUTION}End")) + 1
    assert not of_type(events, "SparkListenerExecutorRemoved")


def test_a_restart_replaces_a_context_in_the_middle_of_a_job(workspace: DemoWorkspace) -> None:
    by_cluster: dict[str, list[Path]] = {}
    for folder in context_folders(workspace.log_folder):
        by_cluster.setdefault(folder.parent.parent.parent.name, []).append(folder)
    folders = max(by_cluster.values(), key=len)
    on_second_day = sorted(
        (folder for folder in folders if f"{day_of(timed(folder)[0])}" == "2026-10-06"),
        key=lambda folder: timed(folder)[0],
    )
    replaced, following = on_second_day
    events = events_of(replaced)
    started = of_type(events, "SparkListenerJobStart")
    assert len(started) > len(of_type(events, "SparkListenerJobEnd"))
    assert max(timed(replaced)) < min(timed(following))


def test_batches_and_their_executions_name_the_same_query(workspace: DemoWorkspace) -> None:
    for folder in stream_folders(workspace):
        events = events_of(folder)
        described = {
            each["description"]: each["time"] for each in of_type(events, f"{EXECUTION}Start")
        }
        for event in of_type(events, PROGRESS):
            batch = event["progress"]
            label = f"{batch['name']}<br/>" if batch["name"] else ""
            text = (
                f"{label}id = {batch['id']}<br/>runId = {batch['runId']}"
                f"<br/>batch = {batch['batchId']}"
            )
            assert described[text] < (event_time(event) or 0)


def test_one_stream_is_terminated(workspace: DemoWorkspace) -> None:
    name = PROGRESS.replace("Progress", "Terminated")
    assert len(of_type(all_events(workspace), name)) == 1


def test_tasks_end_in_every_way(workspace: DemoWorkspace) -> None:
    for event in task_ends(workspace, "ExceptionFailure"):
        assert event["Task End Reason"]["Full Stack Trace"].startswith("java.lang.Arithmetic")
        assert event["Task Info"]["Failed"]
    kills = {each["Task End Reason"]["Kill Reason"] for each in task_ends(workspace, "TaskKilled")}
    assert kills == {"another attempt succeeded", "Stage cancelled"}
    assert all("Task Metrics" not in each for each in task_ends(workspace, "ExecutorLostFailure"))
    assert len(task_ends(workspace, "ExecutorLostFailure")) > 0
    assert len(task_ends(workspace, "FetchFailed")) == 1


def test_a_speculative_copy_overtakes_its_task(workspace: DemoWorkspace) -> None:
    copies = [each for each in task_ends(workspace, "Success") if each["Task Info"]["Speculative"]]
    overtaken = task_ends(workspace, "TaskKilled")
    assert copies
    for copy in copies:
        [original] = [
            each
            for each in overtaken
            if each["Stage ID"] == copy["Stage ID"]
            and each["Task Info"]["Index"] == copy["Task Info"]["Index"]
            and each["Task End Reason"]["Kill Reason"] == "another attempt succeeded"
        ]
        assert original["Task Info"]["Finish Time"] > copy["Task Info"]["Finish Time"]


def test_a_stage_is_retried_after_an_executor_is_lost(workspace: DemoWorkspace) -> None:
    stages = of_type(all_events(workspace), "SparkListenerStageCompleted")
    infos = [each["Stage Info"] for each in stages]
    retried = [each for each in infos if each["Stage Attempt ID"] == 1]
    assert len(retried) == 2
    failures = [each for each in infos if "FetchFailed" in each.get("Failure Reason", "")]
    assert len(failures) == 1


def test_spark_jobs_tell_user_notebook_run_and_cluster(workspace: DemoWorkspace) -> None:
    jobs = [each["Properties"] for each in of_type(all_events(workspace), "SparkListenerJobStart")]
    assert {each["spark.databricks.clusterUsageTags.clusterOrgId"] for each in jobs} == {
        workspace.workspace_id
    }
    assert any("user" not in each for each in jobs)
    assert any("spark.databricks.notebook.path" in each for each in jobs)
    for each in jobs:
        if "spark.databricks.job.id" in each and "streaming.sql.batchId" not in each:
            ids = each["spark.databricks.job.id"], each["spark.databricks.job.runId"]
            assert f"job-{ids[0]}-run-{ids[1]}-" in each["spark.jobGroup.id"]


def test_a_single_node_executes_on_its_driver(workspace: DemoWorkspace) -> None:
    added = of_type(all_events(workspace), "SparkListenerExecutorAdded")
    assert "driver" in {each["Executor ID"] for each in added}


def test_skipped_stages_are_listed_but_never_run(workspace: DemoWorkspace) -> None:
    for folder in context_folders(workspace.log_folder):
        events = events_of(folder)
        jobs = of_type(events, "SparkListenerJobStart")
        listed = {stage for each in jobs for stage in each["Stage IDs"]}
        submitted = of_type(events, "SparkListenerStageSubmitted")
        ran = {each["Stage Info"]["Stage ID"] for each in submitted}
        assert ran <= listed
    assert any(len(each["Stage IDs"]) > len(each["Stage Infos"]) for each in jobs_of(workspace))


def jobs_of(workspace: DemoWorkspace) -> list[Event]:
    return of_type(all_events(workspace), "SparkListenerJobStart")
