import json
from collections.abc import Generator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from overwatch_assets.module import DayWindow, Module, Window
from overwatch_assets.registry import MODULES
from overwatch_assets.sources.gathering import Gathered, Request
from overwatch_assets.sources.rest_api.api import ApiError
from overwatch_assets.sources.rest_api.captures import Captures
from overwatch_assets.sources.rest_api.cluster_captures import ClusterCaptures, clusters_to_ask
from overwatch_assets.sources.rest_api.endpoints import CLUSTERS_GET, JOBS_GET, LISTINGS
from overwatch_assets_tests.frames import table, utc
from overwatch_assets_tests.sources.rest_api.loopback import (
    Asked,
    Fault,
    Loopback,
    Reply,
    access_to,
    api_of,
    refused,
    serving,
)

ORGANIZATION = "5206439413157315"
MONDAY, TUESDAY = date(2024, 5, 6), date(2024, 5, 7)
NOW_MS = 1715083200123
BY_SOURCE = {module.source: module for module in MODULES}
CLUSTERS_LIST = "/api/2.1/clusters/list"


@pytest.fixture
def there() -> Generator[Loopback]:
    with serving(Loopback()) as loopback:
        yield loopback


def day(which: date, until: datetime | None = None) -> DayWindow:
    since = datetime(which.year, which.month, which.day, tzinfo=UTC)
    return DayWindow(which, Window(since, until or since + timedelta(days=1)))


TODAY = day(TUESDAY, datetime.fromtimestamp((NOW_MS + 1) / 1000, UTC))


def request(
    module: Module, days: Sequence[DayWindow] = (TODAY,), coverage: Sequence[str] = ()
) -> Request:
    return Request(
        organization_id=ORGANIZATION,
        days=days,
        first_ms=0,
        now_ms=NOW_MS,
        known=pl.DataFrame(),
        coverage=pl.DataFrame({"cluster_id": coverage}, schema={"cluster_id": pl.String}),
        scratch=Path(),
        zone=ZoneInfo("UTC"),
        schema=pl.Schema({column.name: column.dtype for column in module.table.columns}),
    )


def capture(
    there: Loopback, source: str, *, cloud: str = "aws", days: Sequence[DayWindow] = (TODAY,)
) -> Gathered:
    module = BY_SOURCE[source]
    api = api_of(lambda: access_to(there), retry_seconds=3)
    source_of = Captures(api, LISTINGS[source], module.table.name, cloud, threads=2)
    return source_of.gather(request(module, days))


def rows(gathered: Gathered) -> pl.DataFrame:
    return gathered.rows[TUESDAY].collect()


def rejected(gathered: Gathered) -> list[tuple[str, str, str]]:
    frame = gathered.rejected.get(TUESDAY)
    return [] if frame is None else frame.select("endpoint", "reason", "record").rows()


def test_every_listing_feeds_a_table_that_has_its_object_id_as_key() -> None:
    keys = {name: BY_SOURCE[name].table.keys for name in LISTINGS}
    assert keys == {name: (each.object_id,) for name, each in LISTINGS.items()}


def test_what_is_listed_now_is_of_today_with_the_instant(there: Loopback) -> None:
    pools = [{"instance_pool_id": "p-1", "custom_tags": {"Cost-Center": 1}, "new": {"b": 1}}]
    there.replies["/api/2.0/instance-pools/list"] = [Reply({"instance_pools": pools})]
    gathered = capture(there, "instance_pools", days=[day(MONDAY), TODAY])
    assert gathered.rows.keys() == {TUESDAY}
    [row] = rows(gathered).to_dicts()
    assert {name: value for name, value in row.items() if value is not None} == {
        "instance_pool_id": "p-1",
        "custom_tags": {"Cost-Center": "1"},
        "captured_at_ms": NOW_MS,
        "_extra": '{"new":{"b":1}}',
    }
    assert gathered.reasons[MONDAY] == "past day, no capture"


def test_a_past_day_asks_nothing(there: Loopback) -> None:
    gathered = capture(there, "instance_pools", days=[day(MONDAY)])
    assert (gathered.rows, gathered.reasons) == ({}, {MONDAY: "past day, no capture"})
    assert there.asked == []


@pytest.mark.parametrize("body", [{}, {"total_count": 0}, {"policies": []}, {"policies": None}])
def test_a_list_without_objects_is_empty_and_says_what_was_asked(
    there: Loopback, body: dict[str, object]
) -> None:
    there.replies["/api/2.0/policies/clusters/list"] = [Reply(body)]
    gathered = capture(there, "policies")
    assert rows(gathered).is_empty()
    assert gathered.reasons == {TUESDAY: "GET /api/2.0/policies/clusters/list listed nothing"}


def test_only_aws_has_instance_profiles(there: Loopback) -> None:
    gathered = capture(there, "instance_profiles", cloud="azure")
    assert there.asked == []
    assert gathered.reasons == {TUESDAY: "azure has none of them, only aws has; nothing was asked"}


def test_what_is_no_object_is_rejected_beside_good_ones(there: Loopback) -> None:
    listed: list[object] = [
        {"script_id": "s-1", "name": "proxy"},
        "text",
        7,
        None,
        {"name": "nameless", "script": "echo hunter22"},
        {"script_id": " ", "password": "hunter22"},
        {"script_id": {"a": 1}, "url": "https://u:hunter22@h"},
        {"script_id": "s-2", "name": "b" * 3000},
    ]
    there.replies["/api/2.0/global-init-scripts"] = [Reply({"scripts": listed})]
    gathered = capture(there, "global_init_scripts")
    assert rows(gathered)["script_id"].to_list() == ["s-1", "s-2"]
    endpoint = "GET /api/2.0/global-init-scripts"
    assert rejected(gathered) == [
        (endpoint, "is no object", '"text"'),
        (endpoint, "is no object", "7"),
        (endpoint, "is no object", "null"),
        (endpoint, "has no script_id", '{"name":"nameless"}'),
        (endpoint, "has no script_id", '{"password":"[REDACTED]","script_id":" "}'),
        (endpoint, "has no script_id",
         '{"script_id":{"a":1},"url":"https://u:[REDACTED]@h"}'),
    ]  # fmt: skip
    assert gathered.rejected[TUESDAY]["table"].unique().to_list() == [
        "global_inits_snapshot_bronze"
    ]
    assert gathered.counts == {"unfit_script_id": 1}


def test_a_rejected_record_is_kept_to_its_first_kilobyte(there: Loopback) -> None:
    listed = {"scripts": [{"name": "ü" * 3000}]}
    there.replies["/api/2.0/global-init-scripts"] = [Reply(listed)]
    [(_, _, record)] = rejected(capture(there, "global_init_scripts"))
    assert len(record.encode()) in (1023, 1024)


def test_the_script_and_the_token_itself_are_kept_nowhere(there: Loopback) -> None:
    scripts = {"scripts": [{"script_id": "s", "script": "ZWNobyBodW50ZXIyMg=="}]}
    tokens = {"token_infos": [{"token_id": "t", "token_value": "hunter22"}]}
    there.replies["/api/2.0/global-init-scripts"] = [Reply(scripts)]
    there.replies["/api/2.0/token/list"] = [Reply(tokens)]
    assert rows(capture(there, "global_init_scripts"))["_extra"].to_list() == [None]
    assert rows(capture(there, "tokens"))["_extra"].to_list() == [None]


def job(number: int, tasks: Sequence[int], **more: object) -> dict[str, object]:
    listed = [{"task_key": f"t-{each}"} for each in tasks]
    return {"job_id": number, "settings": {"name": "j", "tasks": listed}, **more}


def task_keys(gathered: Gathered) -> list[list[str]]:
    settings = rows(gathered)["settings"].to_list()
    return [[task["task_key"] for task in each["tasks"]] for each in settings]


def test_jobs_come_in_pages_and_large_ones_are_completed_in_order(there: Loopback) -> None:
    def jobs_list(asked: Asked) -> Reply:
        if "page_token" not in asked.query:
            return Reply({"jobs": [job(1, [0])], "has_more": True, "next_page_token": "p2"})
        return Reply({"jobs": [job(2, range(100), has_more=True), job(3, [1])], "has_more": False})

    def jobs_get(asked: Asked) -> Reply:
        begin = int(asked.query.get("page_token", "0"))
        more = {} if begin == 200 else {"has_more": True, "next_page_token": str(begin + 100)}
        return Reply(job(2, range(begin, min(begin + 100, 230)), **more))

    there.replies |= {"/api/2.2/jobs/list": jobs_list, JOBS_GET: jobs_get}
    gathered = capture(there, "jobs")
    expected = [["t-0"], [f"t-{each}" for each in range(230)], ["t-1"]]
    assert task_keys(gathered) == expected
    assert rows(gathered)["_extra"].to_list() == [None, None, None]
    first = there.of_path("/api/2.2/jobs/list")[0].query
    assert first == {"limit": "25", "expand_tasks": "true"}
    assert {each.query["job_id"] for each in there.of_path(JOBS_GET)} == {"2"}


def test_a_job_that_can_not_be_completed_is_rejected_not_cut(there: Loopback) -> None:
    listed = {"jobs": [job(1, [0], has_more=True), job(2, [1])]}
    there.replies["/api/2.2/jobs/list"] = [Reply(listed)]
    there.replies[JOBS_GET] = [refused(403, "PERMISSION_DENIED", "no")]
    gathered = capture(there, "jobs")
    assert rows(gathered)["job_id"].to_list() == [2]
    [(_, reason, _)] = rejected(gathered)
    assert "could not be completed: workspace prod" in reason
    assert "PERMISSION_DENIED" in reason


@pytest.mark.parametrize(
    "reply", [refused(403, "PERMISSION_DENIED", "no"), Reply(fault=Fault.RESET), Reply({"jobs": 3})]
)
def test_a_list_that_can_not_be_had_fails_the_capture(there: Loopback, reply: Reply) -> None:
    there.replies["/api/2.2/jobs/list"] = [reply]
    with pytest.raises(ApiError, match=r"/api/2\.2/jobs/list"):
        capture(there, "jobs")


def cluster_captures(there: Loopback, coverage: Sequence[str]) -> Gathered:
    module = BY_SOURCE["clusters"]
    api = api_of(lambda: access_to(there), retry_seconds=3)
    source = ClusterCaptures(api, module.table.name, threads=3)
    return source.gather(request(module, coverage=coverage))


def test_clusters_that_are_not_listed_are_asked_for_one_by_one(there: Loopback) -> None:
    def cluster(asked: Asked) -> Reply:
        match asked.query["cluster_id"]:
            case "c-gone":
                message = "Cluster c-gone does not exist"
                return refused(400, "INVALID_PARAMETER_VALUE", message)
            case "c-denied":
                return refused(403, "PERMISSION_DENIED", "no")
            case "c-down":
                return refused(500, "INTERNAL_ERROR", "no")
            case cluster_id:
                return Reply({"cluster_id": cluster_id, "state": "TERMINATED", "spec": {"a": 1}})

    listed = {"clusters": [{"cluster_id": "c-1", "state": "RUNNING", "driver": {"x": 1}}]}
    there.replies |= {CLUSTERS_LIST: [Reply(listed)], CLUSTERS_GET: cluster}
    gathered = cluster_captures(there, ["c-1", "c-2", "c-denied", "c-down", "c-gone"])
    assert rows(gathered).select("cluster_id", "state", "_extra").rows() == [
        ("c-1", "RUNNING", '{"driver":{"x":1}}'), ("c-2", "TERMINATED", None),
    ]  # fmt: skip
    assert [each.query["cluster_id"] for each in there.of_path(CLUSTERS_GET)].count("c-1") == 0
    errors = gathered.errors[TUESDAY].rows(named=True)
    assert errors[0] == {
        "cluster_id": "c-denied",
        "error_code": "PERMISSION_DENIED",
        "error": "PERMISSION_DENIED no",
        "http_status": 403,
        "asked_at_ms": NOW_MS,
    }
    assert (errors[1]["cluster_id"], errors[1]["http_status"]) == ("c-down", None)
    assert "GET /api/2.1/clusters/get: no usable answer" in errors[1]["error"]
    assert gathered.counts["does_not_exist"] == 1
    assert len(gathered.failures) == 2


def test_without_failures_there_are_no_errors(there: Loopback) -> None:
    there.replies[CLUSTERS_LIST] = [Reply({})]
    gathered = cluster_captures(there, [])
    assert (gathered.errors, gathered.failures, rows(gathered).height) == ({}, [], 0)


def to_ask(
    captures: Sequence[dict[str, object]] = (),
    failures: Sequence[dict[str, object]] = (),
    audit: Sequence[dict[str, object]] = (),
) -> list[str]:
    return clusters_to_ask(
        table("clusters_snapshot_bronze", *captures),
        table("clusters_snapshot_error_bronze", *failures),
        table("audit_log_bronze", *audit),
    )["cluster_id"].to_list()


def audit_row(cluster_id: str, stored: str, **more: object) -> dict[str, object]:
    return {
        "serviceName": "clusters",
        "actionName": "delete",
        "requestParams": json.dumps({"cluster_id": cluster_id}),
        "Pipeline_SnapTS": utc(stored),
        **more,
    }


EARLIER, LAST = 1715000000000, 1715083200000


def test_clusters_of_the_last_capture_that_had_not_terminated_are_asked_for_again() -> None:
    captures: list[dict[str, object]] = [
        {"cluster_id": "c-on", "state": "RUNNING", "captured_at_ms": LAST},
        {"cluster_id": "c-off", "state": "TERMINATED", "captured_at_ms": LAST},
        {"cluster_id": "c-odd", "state": None, "captured_at_ms": LAST},
        {"cluster_id": "c-gone since", "state": "RUNNING", "captured_at_ms": EARLIER},
    ]
    assert to_ask(captures) == ["c-odd", "c-on"]


def test_failures_of_the_last_capture_are_asked_for_again_and_older_ones_not() -> None:
    captures: list[dict[str, object]] = [{"cluster_id": "c", "state": "TERMINATED"}]
    last = [{**captures[0], "captured_at_ms": LAST}]
    failures: list[dict[str, object]] = [
        {"cluster_id": "c-failed", "asked_at_ms": LAST},
        {"cluster_id": "c-mended", "asked_at_ms": EARLIER},
    ]
    assert to_ask(last, failures) == ["c-failed"]
    earlier = [{**captures[0], "captured_at_ms": EARLIER}]
    assert to_ask(earlier, failures) == ["c-failed"]


def test_clusters_of_audit_rows_stored_since_are_asked_for_whatever_their_day() -> None:
    captures: list[dict[str, object]] = [
        {"cluster_id": "c", "state": "TERMINATED", "captured_at_ms": LAST}
    ]
    audit = [
        audit_row("c-known", "2024-05-07 11:00"),
        audit_row("c-new", "2024-05-08 06:00", timestamp=0),
        audit_row("c-new", "2024-05-08 06:00", timestamp=1),
        audit_row("no cluster id!", "2024-05-08 06:00"),
        audit_row("", "2024-05-08 06:00"),
        audit_row("x", "2024-05-08 06:00", serviceName="jobs", actionName="runStart",
                  requestParams='{"clusterId":"c-job"}'),
        audit_row("x", "2024-05-08 06:00", requestParams=None),
    ]  # fmt: skip
    assert to_ask(captures, audit=audit) == ["c-job", "c-new"]
    assert to_ask(audit=audit) == ["c-job", "c-known", "c-new"]
