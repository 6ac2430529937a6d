import polars as pl

from overwatch_assets.silver.spark_applications_silver import spark_applications_silver
from overwatch_assets_tests.frames import Row, ms
from overwatch_assets_tests.silver.spark_days import (
    Loaded,
    application_end,
    application_start,
    days_from,
    event,
    job_end,
    job_start,
    load,
)

MONDAY, TUESDAY, WEDNESDAY = days_from("2024-05-06", 3)


def contexts(*events: Row, days: tuple[str, ...] = (MONDAY,)) -> Loaded:
    return load(spark_applications_silver, events, days)


def test_a_context_closes_an_hour_after_its_application_ended() -> None:
    loaded = contexts(
        application_start(
            "2024-05-06 08:00", applicationInfo={"AppID": "app-1", "AppName": "etl", "User": "root"}
        ),
        application_end("2024-05-06 09:00"),
    )
    [row] = loaded.days[MONDAY].to_dicts()
    assert (row["applicationId"], row["applicationName"], row["sparkUser"]) == (
        "app-1",
        "etl",
        "root",
    )
    assert row["closedMS"] == ms("2024-05-06 10:00")
    assert row["endMS"] == row["revealedMS"] == ms("2024-05-06 09:00")
    assert row["ApplicationRunTime"]["runTimeH"] == 1.0
    assert (row["end_reason"], row["end_imputed"], row["is_open"]) == (
        "application_end",
        False,
        False,
    )


def test_a_straggler_starts_the_hour_anew_and_a_silent_hour_ends_it() -> None:
    loaded = contexts(
        job_start("2024-05-06 08:00"),
        application_end("2024-05-06 09:00"),
        job_end("2024-05-06 09:59:59.999"),
        job_start("2024-05-06 10:59:59.998", job_id=1),
        job_end("2024-05-06 11:59:59.998", job_id=1),
    )
    [row] = loaded.days[MONDAY].to_dicts()
    assert row["closedMS"] == ms("2024-05-06 11:59:59.998")
    assert row["lastEventMS"] == ms("2024-05-06 10:59:59.998")
    assert row["endMS"] == ms("2024-05-06 09:00")


def test_a_context_stays_open_while_its_hour_reaches_beyond_the_day() -> None:
    loaded = contexts(
        job_start("2024-05-06 08:00"),
        application_end("2024-05-06 23:00"),
        job_end("2024-05-07 00:00"),
        days=(MONDAY, TUESDAY),
    )
    columns = ("is_open", "revealedMS", "closedMS", "end_reason")
    revealed = ms("2024-05-06 23:00")
    assert loaded.rows(MONDAY, *columns) == [(True, revealed, None, "application_end")]
    assert loaded.rows(TUESDAY, *columns) == [
        (False, revealed, revealed + 3_600_000, "application_end")
    ]


def test_stragglers_after_midnight_prolong_the_hour_of_the_day_before() -> None:
    loaded = contexts(
        job_start("2024-05-06 08:00"),
        application_end("2024-05-06 23:30"),
        job_end("2024-05-07 00:20"),
        job_end("2024-05-07 01:20", job_id=1),
        days=(MONDAY, TUESDAY),
    )
    assert loaded.rows(TUESDAY, "closedMS", "lastEventMS") == [
        (ms("2024-05-07 01:20"), ms("2024-05-07 00:20"))
    ]


def test_the_hour_counts_from_the_last_straggler_of_the_day_before() -> None:
    loaded = contexts(
        job_start("2024-05-06 08:00"),
        application_end("2024-05-06 23:10"),
        job_end("2024-05-06 23:40"),
        job_end("2024-05-07 00:20", job_id=1),
        days=(MONDAY, TUESDAY),
    )
    assert loaded.rows(TUESDAY, "closedMS") == [(ms("2024-05-07 01:20"),)]


def test_the_next_context_of_a_cluster_replaces_the_one_before() -> None:
    loaded = contexts(
        job_start("2024-05-06 08:00", context="a"),
        job_start("2024-05-06 10:00", context="b"),
        job_end("2024-05-06 10:30", context="a"),
    )
    columns = ("SparkContextID", "is_open", "closedMS", "endMS", "end_reason", "end_imputed")
    assert loaded.rows(MONDAY, *columns) == [
        ("a", False, ms("2024-05-06 11:30"), ms("2024-05-06 10:30"), "replaced", True),
        ("b", True, None, None, None, False),
    ]


def test_events_of_the_old_context_do_not_replace_the_new_one() -> None:
    loaded = contexts(
        job_start("2024-05-06 08:00", context="a"),
        job_start("2024-05-06 10:00", context="b"),
        job_end("2024-05-07 12:00", context="a"),
        days=(MONDAY, TUESDAY),
    )
    assert loaded.rows(TUESDAY, "SparkContextID", "end_reason") == [("b", None)]


def test_contexts_of_unknown_clusters_do_not_replace_each_other() -> None:
    loaded = contexts(
        job_start("2024-05-06 08:00", context="a", clusterId=None),
        job_start("2024-05-06 10:00", context="b", clusterId=None),
    )
    assert loaded.rows(MONDAY, "SparkContextID", "is_open") == [("a", True), ("b", True)]


def test_a_cluster_that_becomes_known_later_replaces_from_then_on() -> None:
    loaded = contexts(
        job_start("2024-05-06 08:00", context="a", clusterId=None),
        job_start("2024-05-06 10:00", context="b"),
        job_end("2024-05-07 00:30", context="a"),
        days=(MONDAY, TUESDAY),
    )
    [replaced] = loaded.closed.to_dicts()
    assert (replaced["SparkContextID"], replaced["end_reason"]) == ("a", "replaced")
    assert replaced["revealedMS"] == ms("2024-05-07 00:00")
    assert replaced["closedMS"] == ms("2024-05-07 01:30")


def test_thirty_silent_days_end_a_context() -> None:
    days = tuple(days_from(MONDAY, 31))
    loaded = contexts(job_start("2024-05-06 08:00"), job_end("2024-05-06 09:00"), days=days)
    [row] = loaded.closed.to_dicts()
    assert (row["end_reason"], row["end_imputed"]) == ("expired", True)
    assert row["endMS"] == ms("2024-06-05 09:00")
    assert row["closedMS"] == ms("2024-06-05 10:00")
    assert loaded.days["2024-06-05"].height == 1


def test_an_event_within_the_thirty_days_keeps_a_context() -> None:
    days = tuple(days_from(MONDAY, 31))
    events = job_start("2024-05-06 08:00"), job_end("2024-06-05 07:59:59.999")
    loaded = contexts(*events, days=days)
    assert loaded.open["lastEventMS"].to_list() == [ms("2024-06-05 07:59:59.999")]


def test_a_closed_context_gives_no_row_when_events_of_it_come_later() -> None:
    loaded = contexts(
        job_start("2024-05-06 08:00"),
        application_end("2024-05-06 09:00"),
        job_start("2024-05-08 08:00", job_id=1),
        days=(MONDAY, TUESDAY, WEDNESDAY),
    )
    assert [frame.height for frame in loaded.days.values()] == [1, 0, 0]
    assert loaded.reads == {MONDAY: [("ctx-1",)], TUESDAY: [], WEDNESDAY: [("ctx-1",)]}


def test_the_smallest_cluster_of_a_context_holds() -> None:
    loaded = contexts(
        job_start("2024-05-06 08:00", clusterId="0506-2"),
        job_end("2024-05-06 09:00", clusterId="0506-1"),
        event("SparkListenerExecutorAdded", "2024-05-07 09:00", clusterId=None),
        days=(MONDAY, TUESDAY),
    )
    assert [frame["clusterId"].item() for frame in loaded.days.values()] == ["0506-1", "0506-1"]


def test_the_order_of_events_does_not_matter() -> None:
    events = [
        job_start("2024-05-06 08:00", context="a"),
        job_end("2024-05-06 10:30", context="a"),
        job_start("2024-05-06 10:00", context="b"),
        application_end("2024-05-06 12:00", context="b"),
    ]
    forward, backward = contexts(*events), contexts(*reversed(events))
    by_context = pl.col("SparkContextID")
    assert forward.closed.sort(by_context).equals(backward.closed.sort(by_context))
