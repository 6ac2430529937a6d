from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from overwatch_assets.errors import SourceError
from overwatch_assets.sources.rest_api.api import ApiRefused, Json
from overwatch_assets_tests.memory import MadeUpWorkspace, MemoryLedger, MemoryStore
from overwatch_assets_tests.sources.rest_api.cluster_world import (
    CAPTURES,
    DAY,
    DAYS,
    HOUR,
    START,
    ClusterApi,
    ClusterDeployment,
    audit_row,
    event,
)

MONDAY, TUESDAY, WEDNESDAY, THURSDAY = DAYS[:4]
MORNING = timedelta(hours=30)


def morning_after(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + MORNING


def deployment(events: Mapping[str, list[Json]], *named: str, **more: object) -> ClusterDeployment:
    """Clusters that the audit log names on Monday morning."""
    audit = [audit_row(cluster_id, START + HOUR) for cluster_id in named or events]
    return ClusterDeployment(ClusterApi(events), audit, **more)  # pyright: ignore[reportArgumentType] - as named


def statuses(loaded: ClusterDeployment) -> list[tuple[object, ...]]:
    return loaded.fetches().select("cluster_id", "partition_date", "status").rows()


def stored(loaded: ClusterDeployment) -> list[tuple[object, ...]]:
    return loaded.rows().select("partition_date", "cluster_id", "type").rows()


QUIET = {
    "c-1": [event("c-1", START + HOUR, "RUNNING"), event("c-1", START + 3 * DAY + 5, "EDITED")]
}
"""Runs from Monday on without a trace until Thursday."""


def test_a_cluster_that_has_not_ended_is_asked_for_day_after_day() -> None:
    loaded = deployment(QUIET)
    loaded.load_daily(*DAYS[:4])
    assert stored(loaded) == [(MONDAY, "c-1", "RUNNING"), (THURSDAY, "c-1", "EDITED")]


def test_a_cluster_that_has_ended_is_asked_for_on_the_day_after_its_last_event() -> None:
    running = event("c-1", START + HOUR, "RUNNING")
    loaded = deployment({"c-1": [running, event("c-1", START + DAY + 5, "TERMINATING")]})
    loaded.load_daily(*DAYS[:5])
    assert loaded.fetches()["partition_date"].to_list() == [MONDAY, TUESDAY, WEDNESDAY]


def test_what_happens_to_a_cluster_right_after_its_end_is_stored_even_on_the_day_after() -> None:
    end = event("c-1", START + DAY - 1, "TERMINATING")
    running = event("c-1", START + HOUR, "RUNNING")
    loaded = deployment({"c-1": [running, end, event("c-1", START + DAY + 5, "NODES_LOST")]})
    loaded.audit[0]["timestamp"] = START - DAY
    loaded.captures = pl.DataFrame(
        [(TUESDAY, "c-1", "TERMINATED", START, START + DAY - 1)], schema=CAPTURES, orient="row"
    )
    loaded.load_daily(*DAYS[:2])
    assert stored(loaded)[1:] == [(MONDAY, "c-1", "TERMINATING"), (TUESDAY, "c-1", "NODES_LOST")]


def test_a_cluster_without_a_sign_for_thirty_days_is_asked_for_no_more() -> None:
    loaded = deployment({"c-1": [event("c-1", START + HOUR, "RUNNING")]})
    for number in range(34):
        day = MONDAY + timedelta(days=number)
        loaded.load(day, now=morning_after(day))
    assert loaded.fetches()["partition_date"].max() == MONDAY + timedelta(days=30)


def test_one_cluster_that_fails_does_not_stop_the_others_and_is_recorded() -> None:
    events = {name: [event(name, START + HOUR, "RUNNING")] for name in ("c-1", "c-2", "c-3")}
    loaded = deployment(events)
    loaded.api.fails = lambda cluster, _page: cluster == "c-2"
    [record] = loaded.load(MONDAY, now=morning_after(MONDAY))
    assert [row[1] for row in stored(loaded)] == ["c-1", "c-3"]
    assert statuses(loaded)[1] == ("c-2", MONDAY, "failed")
    [error] = loaded.errors().to_dicts()
    assert (error["cluster_id"], error["from_epoch"], error["until_epoch"]) == (
        "c-2",
        START,
        START + DAY,
    )
    assert error["from_ts"] == datetime(2024, 5, 6, tzinfo=UTC)
    assert "500 for five minutes" in error["error"]
    assert (record.details["errors"], record.counted) == (1, {"clusters_failed": 1})


def test_a_failure_is_due_again_the_next_day_until_it_succeeds() -> None:
    loaded = deployment(QUIET)
    loaded.api.fails = lambda _cluster, _page: True
    loaded.load(MONDAY, now=morning_after(MONDAY))
    assert loaded.owed(morning_after(MONDAY)) == []
    assert loaded.owed(morning_after(TUESDAY)) == [MONDAY]
    loaded.load(MONDAY, now=morning_after(TUESDAY), is_retry=True)
    [fetch] = loaded.fetches().to_dicts()
    first = round(morning_after(MONDAY).timestamp() * 1000)
    assert (fetch["attempts"], fetch["first_failed_ms"]) == (2, first)
    loaded.api.fails = lambda _cluster, _page: False
    loaded.load(MONDAY, now=morning_after(WEDNESDAY), is_retry=True)
    [fetch] = loaded.fetches().to_dicts()
    assert (fetch["status"], fetch["attempts"], fetch["due_ms"]) == ("ok", 3, None)
    assert (fetch["first_failed_ms"], fetch["error"]) == (None, None)
    assert loaded.owed(morning_after(THURSDAY)) == []


def test_a_failure_is_given_up_after_thirty_days() -> None:
    loaded = deployment(QUIET)
    loaded.api.fails = lambda _cluster, _page: True
    loaded.load(MONDAY, now=morning_after(MONDAY))
    later = morning_after(MONDAY) + timedelta(days=30, seconds=1)
    loaded.load(MONDAY, now=later, is_retry=True)
    assert loaded.owed(later + timedelta(days=9)) == []


def test_a_retry_asks_only_for_what_is_owed() -> None:
    events = {name: [event(name, START + HOUR, "RUNNING")] for name in ("c-1", "c-2")}
    loaded = deployment(events)
    loaded.api.fails = lambda cluster, _page: cluster == "c-2"
    loaded.load(MONDAY, TUESDAY, now=morning_after(TUESDAY))
    loaded.api.fails = lambda _cluster, _page: False
    loaded.api.asked.clear()
    loaded.mend(now=morning_after(WEDNESDAY))
    assert [(body["cluster_id"], body["start_time"]) for body in loaded.api.asked] == [
        ("c-2", START)
    ]
    assert [row[1] for row in stored(loaded)] == ["c-1", "c-2"]


def test_pages_before_a_failure_stay_and_the_days_they_cover_are_not_owed() -> None:
    told = [event("c-1", START + number * 20 * HOUR, "RESIZING") for number in range(6)]
    loaded = deployment({"c-1": told})
    loaded.api.fails = lambda _cluster, page: page == 2
    loaded.load(*DAYS[:5], now=morning_after(DAYS[4]))
    assert len(stored(loaded)) == 4
    assert [row[1:] for row in statuses(loaded)][:4] == [
        (MONDAY, "ok"),
        (TUESDAY, "ok"),
        (WEDNESDAY, "failed"),
        (THURSDAY, "failed"),
    ]
    [error] = loaded.errors().to_dicts()
    assert error["partition_date"] == WEDNESDAY


def test_a_cluster_that_does_not_exist_is_never_asked_again() -> None:
    loaded = deployment({}, "gone-1")
    loaded.load(MONDAY, now=morning_after(MONDAY))
    assert statuses(loaded) == [("gone-1", MONDAY, "missing")]
    [error] = loaded.errors()["error"].to_list()
    assert error == "INVALID_PARAMETER_VALUE Cluster gone-1 does not exist"
    loaded.load(MONDAY, TUESDAY, now=morning_after(TUESDAY))
    assert len(loaded.api.asked) == 1
    assert loaded.owed(morning_after(THURSDAY)) == []


def test_a_cluster_that_is_being_made_may_not_exist_yet() -> None:
    loaded = deployment({"c-1": [event("c-1", START + 20 * HOUR, "CREATING")]})
    noon = datetime(2024, 5, 6, 12, tzinfo=UTC)
    loaded.load(MONDAY, now=noon)
    assert statuses(loaded) == [("c-1", MONDAY, "failed")]
    loaded.load(MONDAY, now=morning_after(MONDAY))
    assert (statuses(loaded), len(stored(loaded))) == ([("c-1", MONDAY, "ok")], 1)


def test_what_fails_or_is_forgotten_later_takes_nothing_away() -> None:
    loaded = deployment(QUIET)
    loaded.load(*DAYS[:4], now=morning_after(THURSDAY))
    before, fetched = stored(loaded), statuses(loaded)
    loaded.api.fails = lambda _cluster, _page: True
    loaded.load(*DAYS[:4], now=morning_after(DAYS[4]))
    loaded.api.fails = lambda _cluster, _page: False
    loaded.api.events = {"c-1": QUIET["c-1"][1:]}
    loaded.load(*DAYS[:4], now=morning_after(DAYS[5]))
    loaded.api.events = {}
    loaded.load(*DAYS[:4], now=morning_after(DAYS[5]))
    assert (stored(loaded), statuses(loaded)) == (before, fetched)
    assert loaded.fetches()["events"].to_list() == [1, 0, 0, 1]


def test_a_reload_that_fails_is_told_though_nothing_is_owed() -> None:
    loaded = deployment(QUIET)
    loaded.load(MONDAY, now=morning_after(MONDAY))
    loaded.api.fails = lambda _cluster, _page: True
    [record] = loaded.load(MONDAY, now=morning_after(TUESDAY))
    assert (record.rows, record.counted) == (1, {"clusters_failed": 1})
    assert loaded.errors()["error"].to_list()[0].endswith("500 for five minutes")
    assert statuses(loaded) == [("c-1", MONDAY, "ok")]


def test_events_before_the_workspaces_first_day_are_not_stored() -> None:
    loaded = deployment(
        {"c-1": [event("c-1", START - 1, "CREATING"), event("c-1", START, "RUNNING")]}
    )
    loaded.load(MONDAY)
    assert stored(loaded) == [(MONDAY, "c-1", "RUNNING")]
    assert loaded.api.asked[0]["start_time"] == START


def test_events_right_before_the_midnight_after_which_the_audit_log_tells_are_owed() -> None:
    started = event("c-1", START + DAY - 1, "STARTING")
    loaded = ClusterDeployment(ClusterApi({"c-1": [started]}), [audit_row("c-1", START + DAY)])
    loaded.load(MONDAY, now=morning_after(MONDAY))
    loaded.load(TUESDAY, now=morning_after(TUESDAY))
    assert statuses(loaded) == [("c-1", MONDAY, "late"), ("c-1", TUESDAY, "ok")]
    loaded.mend(now=morning_after(TUESDAY))
    assert stored(loaded) == [(MONDAY, "c-1", "STARTING")]
    assert statuses(loaded)[0] == ("c-1", MONDAY, "ok")


def test_clusters_that_late_audit_events_name_are_owed() -> None:
    loaded = deployment(QUIET)
    loaded.load(MONDAY, now=morning_after(MONDAY))
    loaded.api.events = {**QUIET, "c-2": [event("c-2", START + HOUR, "RUNNING")]}
    loaded.audit.append(audit_row("c-2", START + HOUR))
    loaded.load_audit(MONDAY, now=morning_after(TUESDAY))
    assert loaded.owed(morning_after(TUESDAY)) == [MONDAY]
    loaded.mend(now=morning_after(TUESDAY))
    assert [row[1] for row in stored(loaded)] == ["c-1", "c-2"]


def test_clusters_are_owed_of_a_day_on_which_none_was_known_before() -> None:
    loaded = ClusterDeployment(ClusterApi(QUIET))
    loaded.load(MONDAY, now=morning_after(MONDAY))
    loaded.audit.append(audit_row("c-1", START + HOUR))
    loaded.load_audit(MONDAY, now=morning_after(TUESDAY))
    assert loaded.owed(morning_after(TUESDAY)) == [MONDAY]
    loaded.mend(now=morning_after(TUESDAY))
    assert stored(loaded) == [(MONDAY, "c-1", "RUNNING")]
    assert loaded.owed(morning_after(TUESDAY)) == []


def test_an_expired_page_token_is_no_failure() -> None:
    told = [event("c-1", START + number, "RESIZING") for number in range(9)]
    loaded = deployment({"c-1": told})
    loaded.api = ExpiringTokens({"c-1": told})
    loaded.load(MONDAY)
    assert len(stored(loaded)) == 9
    assert statuses(loaded) == [("c-1", MONDAY, "ok")]


def test_what_is_no_event_is_rejected_and_its_neighbours_land() -> None:
    good = event("c-1", START + HOUR, "RUNNING")
    bad: list[object] = ["x", {**good, "timestamp": "soon"}, {**good, "type": " "}]
    loaded = deployment({"c-1": [good]})
    loaded.api.mix = lambda events: [bad[0], *events, *bad[1:]]
    [record] = loaded.load(MONDAY)
    assert stored(loaded) == [(MONDAY, "c-1", "RUNNING")]
    [rejected] = loaded.store.rows["api_rejected"].values()
    assert sorted(rejected["reason"]) == ["no timestamp", "no type", "not an object"]
    assert set(rejected["endpoint"]) == {"POST /api/2.1/clusters/events"}
    assert record.details["rejected"] == 3


def test_an_unknown_type_is_stored_as_it_is_and_its_details_as_far_as_they_are_known() -> None:
    told = event("c-1", START + HOUR, "COFFEE_MADE", cause="AUTOSCALE", cups=3)
    loaded = deployment({"c-1": [told]})
    loaded.load(MONDAY)
    [row] = loaded.rows().to_dicts()
    assert (row["type"], row["details"]["cause"]) == ("COFFEE_MADE", "AUTOSCALE")


def test_details_keep_keys_and_types_and_no_secret() -> None:
    attributes = {
        "spark_version": "13.3",
        "autotermination_minutes": 60,
        "custom_tags": {"Cost-Center": "4711"},
        "spark_conf": {"spark.hadoop.fs.azure.account.key.x": "topsecret"},
        "cluster_log_conf": {"s3": {"destination": "s3://logs"}},
    }
    scripts: Json = {"reported_for_node": "i-1", "cluster": []}
    reason = {"code": "INACTIVITY", "type": "SUCCESS", "parameters": {"minutes": 30}}
    size = {"autoscale": {"min_workers": 1, "max_workers": 6}}
    told = event(
        "c-1", START, "CREATING", attributes=attributes, init_scripts=scripts, reason=reason,
        cluster_size=size, disk_size=128849018880,
    )  # fmt: skip
    loaded = deployment({"c-1": [told]})
    loaded.load(MONDAY)
    [details] = loaded.rows()["details"].to_list()
    assert details["attributes"]["custom_tags"] == {"Cost-Center": "4711"}
    assert details["attributes"]["cluster_log_conf"]["s3"]["destination"] == "s3://logs"
    assert "topsecret" not in str(details)
    assert details["init_scripts"] == '{"cluster":[],"reported_for_node":"i-1"}'
    assert details["reason"]["parameters"] == {"minutes": "30"}
    assert details["cluster_size"]["autoscale"]["max_workers"] == 6
    assert details["disk_size"] == 128849018880


def test_a_refused_identity_fails_the_days() -> None:
    loaded = deployment(QUIET)
    loaded.api = RefusingApi(QUIET, status=401)
    with pytest.raises(ApiRefused, match="no"):
        loaded.load(MONDAY)
    assert loaded.store.rows["cluster_events_bronze"] == {}


def test_an_api_of_which_nothing_can_be_had_fails_the_days_and_is_not_asked_on() -> None:
    events = {f"c-{number}": [event("c", START, "RUNNING")] for number in range(300)}
    loaded = deployment(events)
    loaded.api.fails = lambda _cluster, _page: True
    with pytest.raises(SourceError, match="none of 200 clusters could be fetched"):
        loaded.load(MONDAY)
    assert len(loaded.api.asked) < 10


def test_an_api_that_breaks_down_on_the_way_is_not_asked_on_and_the_rest_is_owed() -> None:
    events = {f"c-{number:03}": [event("c", START, "RUNNING")] for number in range(300)}
    loaded = deployment(events)
    loaded.api.fails = lambda cluster, _page: cluster > "c-004"
    [record] = loaded.load(MONDAY, now=morning_after(MONDAY))
    assert len(loaded.api.asked) < 20
    assert record.counted == {"clusters_failed": 295}
    loaded.api.fails = lambda _cluster, _page: False
    loaded.mend(now=morning_after(TUESDAY))
    assert set(loaded.fetches()["status"]) == {"ok"}


def test_a_workspace_without_any_sign_of_a_cluster_says_so() -> None:
    [record] = ClusterDeployment(ClusterApi({})).load(MONDAY)
    assert (record.rows, record.status) == (0, "EMPTY")
    assert record.reason.startswith("no audit event, no capture")


def test_workspaces_with_equal_clusters_do_not_mix() -> None:
    store, ledger = MemoryStore(), MemoryLedger()
    one = deployment(QUIET, store=store, ledger=ledger)
    other = deployment(
        {"c-1": [event("c-1", START + HOUR, "CREATING")]},
        store=store,
        ledger=ledger,
        workspace=replace(MadeUpWorkspace(), organization_id="2", name="acme-lab"),
    )
    other.api.fails = lambda _cluster, _page: True
    one.load(MONDAY, now=morning_after(MONDAY))
    other.load(MONDAY, now=morning_after(MONDAY))
    assert (stored(one), stored(other)) == ([(MONDAY, "c-1", "RUNNING")], [])
    assert (statuses(one)[0][2], statuses(other)[0][2]) == ("ok", "failed")
    assert (one.owed(morning_after(TUESDAY)), other.owed(morning_after(TUESDAY))) == ([], [MONDAY])
    other.api.fails = lambda _cluster, _page: False
    other.mend(now=morning_after(TUESDAY))
    one.load(TUESDAY, now=morning_after(TUESDAY))
    assert (stored(one), stored(other)) == (
        [(MONDAY, "c-1", "RUNNING")],
        [(MONDAY, "c-1", "CREATING")],
    )


class ExpiringTokens(ClusterApi):
    """Every second page token is refused."""

    def post(self, path: str, body: Mapping[str, object]) -> Json:
        if str(body.get("page_token", "")).endswith("/2"):
            message = "The page token has expired"
            raise ApiRefused(
                message, status=400, code="INVALID_PARAMETER_VALUE", said=message, is_missing=False
            )
        return super().post(path, body)


class RefusingApi(ClusterApi):
    """Refuses everybody."""

    def __init__(self, events: Mapping[str, list[Json]], status: int) -> None:
        super().__init__(events)
        self.status = status

    def post(self, path: str, body: Mapping[str, object]) -> Json:
        del path, body
        message = "no"
        raise ApiRefused(message, status=self.status, code="", said=message, is_missing=False)
