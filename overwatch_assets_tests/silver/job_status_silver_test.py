from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl

from overwatch_assets.silver.job_status_silver import job_status_silver
from overwatch_assets_tests.frames import ms
from overwatch_assets_tests.silver.job_days import JobDays, Json, capture, event

T1 = [{"task_key": "a", "notebook_task": {"notebook_path": "/a"}}]
T2 = [{"task_key": "b", "notebook_task": {"notebook_path": "/b"}}]
S1 = {"quartz_cron_expression": "0 0 2 * * ?", "timezone_id": "UTC", "pause_status": "UNPAUSED"}


def create(at: str | int, job_id: int = 77, by: str = "alice", **settings: Any) -> Json:
    return event(at, "create", by, result={"job_id": job_id}, **settings)


def update(at: str | int, new: Json, job_id: int = 77, by: str = "bob", **more: Any) -> Json:
    return event(at, "update", by, job_id=job_id, new_settings=new, **more)


def reset(at: str | int, new: Json, job_id: int = 77, by: str = "carol") -> Json:
    return event(at, "reset", by, job_id=job_id, new_settings=new)


def loaded(events: Sequence[Json] = (), captures: Sequence[Json] = (), **more: Any) -> JobDays:
    return JobDays(job_status_silver, events, captures, **more).load()


def versions(days: JobDays, *columns: str | pl.Expr) -> list[tuple[object, ...]]:
    rows = days.rows().filter(~pl.col("is_open"))
    return rows.sort("timestamp", "seq", "jobId").select(*columns).rows()


def test_each_change_tells_the_whole_definition() -> None:
    events = [
        create(1000, name="etl", schedule=S1, tags={"team": "a"}, max_concurrent_runs=1, tasks=T1),
        update(2000, {"name": "etl2", "timeout_seconds": 600}),
        update(3000, {}, fields_to_remove=["schedule"]),
        event(4000, "changeJobAcl", "amy", resourceId=77, aclPermissionSet=[{"permission": "X"}]),
        reset(5000, {"name": "etl3", "max_concurrent_runs": 4, "tasks": T2}),
        event(6000, "delete", "dave", job_id=77),
    ]
    known = capture(86_400_000 * 40, 88, {"name": "old"}, creator_user_name="zoe", created_time=-5)
    days = loaded(events, [known], first_day=date(1970, 1, 1))
    task = pl.col("tasks").list.first().struct.field("task_key")
    cron = pl.col("schedule").struct.field("quartz_cron_expression")
    team = pl.col("tags").map.get("team")
    found = versions(
        days, "timestamp", "jobId", "actionName", "jobName", cron, team, "timeout_seconds",
        "max_concurrent_runs", task, "created_by", "last_edited_by", "last_edited_ts",
        "deleted_by", "deleted_ts",
    )  # fmt: skip
    at_two, nobody = S1["quartz_cron_expression"], (None, None)
    assert found == [
        (0, 88, "snapImpute", "old", *[None] * 5, "zoe", None, None, *nobody),
        (1000, 77, "create", "etl", at_two, "a", None, 1, "a", "alice", "alice", 1000, *nobody),
        (2000, 77, "update", "etl2", at_two, "a", 600, 1, "a", "alice", "bob", 2000, *nobody),
        (3000, 77, "update", "etl2", None, "a", 600, 1, "a", "alice", "bob", 3000, *nobody),
        (4000, 77, "changeJobAcl", "etl2", None, "a", 600, 1, "a", "alice", "bob", 3000, *nobody),
        (5000, 77, "reset", "etl3", None, None, None, 4, "b", "alice", "carol", 5000, *nobody),
        (
            6000,
            77,
            "delete",
            "etl3",
            None,
            None,
            None,
            4,
            "b",
            "alice",
            "carol",
            5000,
            "dave",
            6000,
        ),
    ]
    assert days.counted() == {}


NAME, TIMEOUT = pl.col("jobName"), pl.col("timeout_seconds")
TASK_KEYS = pl.col("tasks").list.eval(pl.element().struct.field("task_key")).list.join(",")
MONDAY, TUESDAY, WEDNESDAY = "2024-05-06", "2024-05-07", "2024-05-08"


def task(key: str, path: str = "/x") -> Json:
    return {"task_key": key, "notebook_task": {"notebook_path": path}}


def test_an_update_merges_tasks_and_job_clusters_by_their_keys() -> None:
    clusters = [{"job_cluster_key": "m", "new_cluster": {"num_workers": 2}}]
    more = [{"job_cluster_key": "n", "new_cluster": {"spark_conf": {"a.b": "c"}}}]
    events = [
        create(1000, tasks=[task("a"), task("b")], job_clusters=clusters),
        update(2000, {"tasks": [task("b", "/new"), task("c")], "job_clusters": more}),
        update(3000, {}, fields_to_remove=["tasks/a", "job_clusters/m", "tasks/unknown"]),
    ]
    days = loaded(events, first_day=date(1970, 1, 1))
    path = pl.col("tasks").list.get(1).struct.field("notebook_task").struct.field("notebook_path")
    keys = pl.col("job_clusters").list.eval(pl.element().struct.field("job_cluster_key"))
    assert versions(days, TASK_KEYS, path, keys.list.join(",")) == [
        ("a,b", "/x", "m"),
        ("a,b,c", "/new", "m,n"),
        ("b,c", "/x", "n"),
    ]


def test_the_next_day_builds_on_the_day_before_and_not_on_a_capture() -> None:
    settings = {"name": "renamed since", "timeout_seconds": 9, "tags": {"team": "captured"}}
    events = [
        create(f"{MONDAY} 10:00", name="etl", timeout_seconds=600),
        update(f"{TUESDAY} 10:00", {"name": "etl2"}),
    ]
    shown = capture(f"{WEDNESDAY} 06:00", 77, settings, created_time=ms(f"{MONDAY} 10:00"))
    days = loaded(events, [shown], days=2)
    found = versions(days, "jobName", "timeout_seconds", pl.col("tags").map.get("team"))
    assert found == [("etl", 600, None), ("etl2", 600, None)]


def test_a_removed_setting_does_not_come_back_from_a_capture_taken_before() -> None:
    events = [
        create(f"{MONDAY} 01:00", name="etl", timeout_seconds=600),
        update(f"{MONDAY} 09:00", {}, fields_to_remove=["timeout_seconds"]),
        event(f"{TUESDAY} 09:00", "resetJobAcl", "amy", job_id=77, grants=[{"permission": "X"}]),
    ]
    before = capture(f"{MONDAY} 06:00", 77, {"name": "etl", "timeout_seconds": 600})
    days = loaded(events, [before], days=2)
    assert versions(days, "timeout_seconds") == [(600,), (None,), (None,)]


def test_legacy_work_is_kept_by_every_kind_of_change() -> None:
    wheel, notebook = {"package_name": "p"}, {"notebook_path": "/n"}
    events = [
        create(1000, python_wheel_task=wheel),
        update(2000, {"notebook_task": notebook}),
        reset(3000, {"notebook_task": notebook}),
    ]
    days = loaded(events, first_day=date(1970, 1, 1))
    detail = pl.col("task_detail_legacy").struct
    package = detail.field("python_wheel_task").struct.field("package_name")
    path = detail.field("notebook_task").struct.field("notebook_path")
    assert versions(days, package, path) == [("p", None), ("p", "/n"), (None, "/n")]


def test_a_change_of_an_unknown_job_begins_with_the_next_capture() -> None:
    settings = {"name": "old", "timeout_seconds": 600}
    shown = [
        capture(f"{TUESDAY} 06:00", 77, settings, created_time=1, creator_user_name="zoe"),
        capture(f"{WEDNESDAY} 06:00", 77, {"name": "newer"}),
    ]
    events = [update(f"{MONDAY} 10:00", {"timeout_seconds": 700})]
    days = loaded(events, shown, first_day=date(2024, 5, 5), days=2)
    found = versions(days, "actionName", NAME, TIMEOUT, "created_by", "is_complete")
    imputed = ("snapImpute", "old", 600, "zoe", True)
    assert found == [imputed, ("update", "old", 700, "zoe", True)]
    younger = [{**each, "created_time": 1_714_980_000_000} for each in shown]
    days = loaded(events, younger, first_day=date(2024, 5, 5), days=2)
    assert versions(days, "actionName", NAME, TIMEOUT) == [("update", "old", 700)]


def test_a_job_that_nothing_tells_of_is_incomplete_until_a_capture_fills_what_is_null() -> None:
    events = [update(f"{MONDAY} 10:00", {"timeout_seconds": 700})]
    days = loaded(events, days=2)
    assert versions(days, NAME, TIMEOUT, "is_complete") == [(None, 700, False)]
    shown = capture(f"{TUESDAY} 06:00", 77, {"name": "old", "timeout_seconds": 600})
    days.tell(events, [shown])
    days.load(redo=True)
    assert versions(days, "actionName", NAME, TIMEOUT, "is_complete") == [
        ("snapImpute", "old", 600, True),
        ("update", "old", 700, True),
    ]
    created, newer = ms("2024-05-05 10:00"), {"name": "x", "max_retries": 3}
    days = loaded(
        [create(created, name="old", timeout_seconds=1), *events],
        [capture(f"{TUESDAY} 06:00", 77, newer, created_time=created, job_type="NORMAL")],
        first_day=date(2024, 5, 5),
        days=3,
    )
    assert versions(days, "actionName", NAME, TIMEOUT, "max_retries", "job_type") == [
        ("create", "old", 1, None, "NORMAL"),
        ("update", "old", 700, None, "NORMAL"),
        ("snapImpute", "old", 700, 3, "NORMAL"),
    ]


def test_a_capture_that_tells_nothing_new_makes_no_row() -> None:
    shown = [capture(f"{day} 06:00", 88, {"name": "old"}) for day in (MONDAY, TUESDAY, WEDNESDAY)]
    days = loaded(captures=shown, days=3)
    assert versions(days, "partition_date", "actionName") == [(date(2024, 5, 6), "snapImpute")]


def test_a_job_created_after_the_first_day_is_not_imputed_on_it() -> None:
    created = ms(f"{TUESDAY} 09:00")
    shown = capture(f"{WEDNESDAY} 06:00", 77, {"name": "etl"}, created_time=created)
    events = [create(f"{TUESDAY} 09:00", name="etl")]
    days = loaded(events, [shown], days=2)
    assert versions(days, "partition_date", "actionName") == [(date(2024, 5, 7), "create")]


def test_whatever_comes_after_a_deletion_is_a_new_job() -> None:
    events = [
        create(f"{MONDAY} 09:00", name="etl", timeout_seconds=5),
        event(f"{MONDAY} 10:00", "delete", "dave", job_id=77),
        update(f"{TUESDAY} 10:00", {"name": "ghost"}),
    ]
    stale = capture(f"{MONDAY} 11:00", 77, {"name": "etl", "max_retries": 1})
    days = loaded(events, [stale], days=2)
    assert versions(days, "actionName", NAME, TIMEOUT, "created_by", "deleted_by") == [
        ("create", "etl", 5, "alice", None),
        ("delete", "etl", 5, "alice", "dave"),
        ("update", "ghost", None, None, None),
    ]


def test_the_deletion_of_an_unknown_job_tells_what_a_capture_knew() -> None:
    known = capture(f"{MONDAY} 06:00", 77, {"name": "old"})
    events = [event(f"{MONDAY} 10:00", "delete", "dave", job_id=77)]
    days = loaded(events, [known])
    assert versions(days, "actionName", NAME) == [("snapImpute", "old"), ("delete", "old")]


def test_refused_repeated_and_nameless_requests_are_no_versions() -> None:
    events = [
        create(1000, name="etl"),
        event(1000, "create", "alice", result={"job_id": 77}, name="etl", other="x"),
        event(1500, "update", status=403, job_id=77, new_settings={"name": "no"}),
        event(1500, "update", status=None, job_id=77, new_settings={"name": "no"}),
        event(1600, "create", result={}, name="nameless"),
    ]
    days = loaded(events, first_day=date(1970, 1, 1))
    assert versions(days, "timestamp", NAME) == [(1000, "etl")]
    assert days.counted() == {"no_job_id": 1, "repeated_request": 1}


def test_permissions_name_the_job_in_either_way() -> None:
    events = [
        create(1000, access_control_list=[{"user_name": "alice", "permission_level": "IS_OWNER"}]),
        event(2000, "changeJobAcl", resourceId=77, targetUserId=5),
        event(3000, "resetJobAcl", resourceId=77),
        event(4000, "resetJobAcl", job_id=77, grants=[{"permission": "X", "user_id": 7}]),
    ]
    days = loaded(events, first_day=date(1970, 1, 1))
    who = pl.col("access_control_list").list.first().struct.field("user_name")
    given = pl.col("grants").list.first().struct.field("user_id")
    found = versions(days, "targetUserId", who, given)
    assert found == [
        (None, "alice", None),
        ("5", "alice", None),
        *[(None, "alice", g) for g in (None, 7)],
    ]


def test_changes_of_one_millisecond_are_ordered_by_what_they_are() -> None:
    events = [
        update(1000, {"name": "c"}, request="1"),
        reset(1000, {"name": "b"}),
        create(1000, name="a"),
        event(1000, "delete", job_id=77),
    ]
    days = loaded(events, first_day=date(1970, 1, 1))
    assert versions(days, "seq", "actionName", NAME) == [
        (0, "create", "a"),
        (1, "reset", "b"),
        (2, "update", "c"),
        (3, "delete", "c"),
    ]


def test_parameters_that_were_cut_short_leave_the_definition_to_captures() -> None:
    cut = '{"name":"etl2","tasks":[{"task_key":"a"... truncated'
    events = [
        create(f"{MONDAY} 09:00", name="etl", timeout_seconds=5),
        event(f"{MONDAY} 10:00", "update", job_id=77, new_settings=cut),
        event(f"{MONDAY} 11:00", "create", result={"job_id": 78}, TRUNCATED="... truncated"),
    ]
    days = loaded(events)
    assert versions(days, "jobId", NAME, TIMEOUT, "is_complete") == [
        (77, "etl", 5, True),
        (77, None, None, False),
        (78, None, None, False),
    ]
    assert days.counted() == {"unreadable_settings": 2}
    days.tell(
        events,
        [capture(f"{TUESDAY} 06:00", 77, {"name": "etl2"}, created_time=ms(f"{MONDAY} 09:00"))],
    )
    found = versions(days.load(), "jobId", NAME, TIMEOUT, "is_complete")
    assert found == [(77, "etl", 5, True), (77, "etl2", None, True), (78, None, None, False)]


def test_a_deleted_job_is_carried_for_sixty_days() -> None:
    timeline = job_status_silver.timeline
    assert timeline is not None
    rows = pl.DataFrame({"timestamp": [0, 0], "actionName": ["delete", "update"]})
    days = (60 * 86_400_000, 60 * 86_400_000 + 1)
    forgotten = [rows.select(timeline.forgotten(day).alias("f"))["f"].to_list() for day in days]
    assert forgotten == [[False, False], [True, False]]
