from datetime import date

import polars as pl
import pytest

from overwatch_assets_tests.frames import Row, ms, utc
from overwatch_assets_tests.silver.cluster_days import (
    AUTOSCALE,
    CLUSTER,
    History,
    Loaded,
    Run,
    captured,
    commanded,
    event,
    job_cluster,
    load,
    load_days,
    running,
    starting,
    version,
    window,
)

MONDAY, TUESDAY, WEDNESDAY = "2024-05-06", "2024-05-07", "2024-05-08"
DAY_MS = 86_400_000
ZERO = ms(MONDAY)
"""The worked example counts milliseconds from here."""

LIFE = ("state", "isRunning", "current_num_workers", "target_num_workers")
END = ("state", "unixTimeMS_state_end", "end_imputed", "is_open")


def at(milliseconds: int) -> int:
    return ZERO + milliseconds


WORKED = (
    event("CREATING", at(0), cluster_size=AUTOSCALE),
    running(at(300_000), 2),
    event("RESIZING", at(900_000), current_num_workers=2, target_num_workers=4),
    event("UPSIZE_COMPLETED", at(960_000), current_num_workers=4, target_num_workers=4),
    event("TERMINATING", at(1_800_000)),
    starting(at(3_600_000)),
    running(at(3_900_000), 2),
    starting(at(5_400_000)),
    running(at(5_700_000), 3),
)
EXPECTED = [
    (0, 299_999, "CREATING", True, 2, 2, 0, 0, 299.999, 299.999, True, False),
    (300_000, 899_999, "RUNNING", True, 2, 2, 0, 0, 599.999, 899.998, True, True),
    (900_000, 959_999, "RESIZING", True, 2, 4, 0, 0, 59.999, 959.997, True, True),
    (960_000, 1_799_999, "UPSIZE_COMPLETED", True, 4, 4, 0, 0, 839.999, 1799.996, True, True),
    (1_800_000, 3_599_999, "TERMINATING", False, 0, 0, 1, 1, 1799.999, 0, False, False),
    (3_600_000, 3_899_999, "STARTING", True, 2, 2, 1, 2, 299.999, 0, True, False),
    (3_900_000, 3_900_000, "RUNNING", True, 2, 2, 0, 2, 0.0, 299.999, True, True),
    (3_900_001, 5_399_999, "TERMINATING", False, 0, 0, 1, 3, 1499.998, 0, False, False),
    (5_400_000, 5_699_999, "STARTING", True, 2, 2, 1, 4, 299.999, 0, True, False),
    (5_700_000, 7_200_000, "RUNNING", True, 3, 3, 0, 4, 1500.0, 1799.999, True, True),
]


def worked(loaded: Loaded) -> list[tuple[object, ...]]:
    start, end = (pl.col(f"unixTimeMS_state_{each}") - ZERO for each in ("start", "end"))
    return loaded.shown.select(
        start,
        end,
        *LIFE,
        "counter_reset",
        "reset_partition",
        "uptime_in_state_S",
        "uptime_since_restart_S",
        "cloud_billable",
        "databricks_billable",
    ).rows()


def test_the_worked_example_comes_out_figure_for_figure() -> None:
    loaded = load(History(WORKED), {"first": window(at(0), at(7_200_000))})
    assert worked(loaded) == EXPECTED
    assert loaded.rows("end_imputed")[6:8] == [(True,), (False,)]
    assert loaded.rows("is_open")[8:] == [(False,), (True,)]


def test_the_worked_example_goes_on_in_a_second_window() -> None:
    history = History((*WORKED, event("TERMINATING", at(9_000_000))))
    spans = {
        "first": window(at(0), at(7_200_000)),
        "second": window(at(7_200_000), at(10_800_000)),
    }
    loaded = load(history, spans)
    assert worked(loaded) == [
        *EXPECTED[:-1],
        (5_700_000, 8_999_999, "RUNNING", True, 3, 3, 0, 4, 3299.999, 3599.998, True, True),
        (9_000_000, 10_800_000, "TERMINATING", False, 0, 0, 1, 5, 1800.0, 0, False, False),
    ]
    assert loaded.days["second"].height == 2


def test_a_permanent_deletion_ends_what_runs_and_is_marked() -> None:
    history = History(WORKED, [version("permanentDelete", at(6_000_000))])
    loaded = load(history, {"first": window(at(0), at(7_200_000))})
    assert worked(loaded)[-2:] == [
        (5_700_000, 6_000_000, "RUNNING", True, 3, 3, 0, 4, 300.0, 599.999, True, True),
        (6_000_001, 6_000_001, "PERMENANT_DELETE", False, 0, 0, 1, 5, 0.0, 0, False, False),
    ]
    assert loaded.shown["is_open"].to_list() == [False] * 11


def job_states(*runs: Run, count: int = 2) -> list[tuple[object, ...]]:
    history = History([running(at(100_000), 2)], [job_cluster()], runs)
    shown = load_days(history, MONDAY, count).shown
    start, end = (pl.col(f"unixTimeMS_state_{each}") - ZERO for each in ("start", "end"))
    return shown.select(start, "state", end, "end_imputed", "is_open").rows()


def test_a_job_cluster_without_a_sign_for_a_day_ended_with_its_last_run() -> None:
    assert job_states(Run(at(100_000), at(400_000))) == [
        (100_000, "RUNNING", 399_999, True, False),
        (400_000, "TERMINATING_IMPUTED", 2 * DAY_MS, False, True),
    ]


def test_until_the_grace_is_over_the_job_cluster_is_taken_to_run() -> None:
    assert job_states(Run(at(100_000), at(400_000)), count=1) == [
        (100_000, "RUNNING", DAY_MS, False, True)
    ]


def test_a_job_cluster_on_which_no_run_was_seen_ended_after_its_last_event() -> None:
    assert job_states()[:1] == [(100_000, "RUNNING", 100_000, True, False)]


def test_an_open_run_keeps_a_job_cluster_up() -> None:
    assert job_states(Run(at(100_000))) == [(100_000, "RUNNING", 2 * DAY_MS, False, True)]


def test_the_grace_of_a_job_cluster_begins_with_the_end_of_its_last_run() -> None:
    runs = Run(at(100_000), at(400_000)), Run(at(200_000), "2024-05-08 01:00")
    ended = ms("2024-05-08 01:00") - ZERO
    assert job_states(*runs, count=3) == [(100_000, "RUNNING", 3 * DAY_MS, False, True)]
    assert job_states(*runs, count=4)[0] == (100_000, "RUNNING", ended - 1, True, False)


@pytest.mark.parametrize(
    "run",
    [
        Run(at(100_000), at(400_000), cluster="0506-2"),
        Run(at(100_000), at(400_000), kind="job_run"),
        Run(at(100_000), at(400_000), cluster_type="sqlWarehouse"),
    ],
)
def test_only_runs_on_the_cluster_show_that_it_is_up(run: Run) -> None:
    assert job_states(run)[0] == (100_000, "RUNNING", 100_000, True, False)


def test_an_interactive_cluster_needs_no_sign_for_weeks() -> None:
    history = History([running(f"{MONDAY} 08:00", 2)])
    before = {"before": window(ms(MONDAY), ms("2024-08-04"))}
    assert load(history, before).rows(*END) == [("RUNNING", ms("2024-08-04"), False, True)]
    loaded = load(history, {**before, "day": window(ms("2024-08-04"), ms("2024-08-05"))})
    assert loaded.rows(*END) == [
        ("RUNNING", ms(f"{MONDAY} 08:00"), True, False),
        ("TERMINATING_IMPUTED", ms(f"{MONDAY} 08:00") + 1 + 30 * DAY_MS, True, False),
    ]
    assert loaded.days["day"].height == 2


FORGOTTEN = (running(f"{MONDAY} 08:00", 2),)


def test_a_cluster_that_a_capture_does_not_show_ended_at_its_last_sign_of_life() -> None:
    history = History(
        FORGOTTEN,
        runs=[Run(f"{MONDAY} 09:00", f"{MONDAY} 17:00")],
        captures=captured(f"{WEDNESDAY} 06:00", other="RUNNING"),
    )
    loaded = load_days(history, MONDAY, 3)
    assert loaded.rows(*END) == [
        ("RUNNING", ms(f"{MONDAY} 17:00") - 1, True, False),
        ("TERMINATING_IMPUTED", ms("2024-05-09"), False, True),
    ]
    assert loaded.days[WEDNESDAY].filter(~pl.col("is_open")).height == 1


@pytest.mark.parametrize("state", ["TERMINATED", "TERMINATING", "ERROR"])
def test_a_capture_that_shows_it_stopped_ends_it(state: str) -> None:
    history = History(FORGOTTEN, captures=captured(f"{WEDNESDAY} 06:00", c_0506_1=state))
    assert load_days(history, MONDAY, 3).rows(*END)[0][2] is True


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "RESTARTING", "RESIZING", "UNKNOWN"])
def test_a_capture_that_shows_it_up_or_cannot_tell_does_not_end_it(state: str) -> None:
    history = History(FORGOTTEN, captures=captured(f"{WEDNESDAY} 06:00", c_0506_1=state))
    assert load_days(history, MONDAY, 3).rows(*END) == [("RUNNING", ms("2024-05-09"), False, True)]


def test_a_capture_within_a_day_of_the_last_sign_ends_nothing() -> None:
    history = History(FORGOTTEN, captures=captured(f"{TUESDAY} 07:59", other="RUNNING"))
    assert load_days(history, MONDAY, 2).rows(*END) == [("RUNNING", ms(WEDNESDAY), False, True)]


def test_the_capture_after_the_day_tells_nothing_of_the_day() -> None:
    history = History(FORGOTTEN, captures=captured(f"{WEDNESDAY} 09:00", other="RUNNING"))
    loaded = load_days(history, MONDAY, 3)
    assert loaded.days[TUESDAY].select(END).rows() == [("RUNNING", ms(WEDNESDAY), False, True)]
    assert loaded.rows(*END)[0][2] is True


def test_without_captures_of_the_day_nothing_is_missing_in_them() -> None:
    assert load_days(History(FORGOTTEN), MONDAY, 3).rows(*END) == [
        ("RUNNING", ms("2024-05-09"), False, True)
    ]


def test_a_start_of_what_is_up_reveals_that_it_had_stopped_after_its_last_sign() -> None:
    history = History(
        [*FORGOTTEN, starting(f"{WEDNESDAY} 10:00")],
        runs=[Run(f"{MONDAY} 09:00", f"{TUESDAY} 17:00")],
    )
    loaded = load_days(history, MONDAY, 3)
    assert loaded.rows(*END) == [
        ("RUNNING", ms(f"{TUESDAY} 17:00") - 1, True, False),
        ("TERMINATING", ms(f"{WEDNESDAY} 10:00") - 1, False, False),
        ("STARTING", ms("2024-05-09"), False, True),
    ]
    assert loaded.days[WEDNESDAY].height == 3


def test_the_end_of_a_command_that_names_the_cluster_is_a_sign_of_life() -> None:
    events = [*FORGOTTEN, starting(f"{WEDNESDAY} 10:00")]
    others = (commanded(f"{TUESDAY} 09:00", None), commanded(f"{TUESDAY} 10:00", "0506-9"))
    refused = commanded(f"{TUESDAY} 11:00", status=403)
    told = [commanded(f"{TUESDAY} 08:30"), *others, refused]
    rows = load_days(History(events, commands=told), MONDAY, 3).rows(*END)
    assert rows[0] == ("RUNNING", ms(f"{TUESDAY} 08:30") - 1, True, False)


def test_a_capture_that_showed_it_up_is_a_sign_of_life() -> None:
    history = History(
        [*FORGOTTEN, starting(f"{WEDNESDAY} 10:00")],
        captures=captured(f"{TUESDAY} 06:00", c_0506_1="RUNNING"),
    )
    rows = load_days(history, MONDAY, 3).rows(*END)
    assert rows[0] == ("RUNNING", ms(f"{TUESDAY} 06:00") - 1, True, False)


def test_a_restart_told_as_a_start_leaves_a_gap_that_nobody_is_charged_for() -> None:
    events = [
        running(f"{MONDAY} 08:00", 2),
        event("RESTARTING", f"{MONDAY} 09:00"),
        starting(f"{MONDAY} 09:01"),
        running(f"{MONDAY} 09:05", 2),
    ]
    rows = load_days(History(events), MONDAY).rows("state", "cloud_billable", "uptime_in_state_S")
    assert rows[1:4] == [
        ("RESTARTING", True, 0.0),
        ("TERMINATING", False, 59.998),
        ("STARTING", True, 239.999),
    ]


def test_a_second_termination_imputes_nothing() -> None:
    events = [event("TERMINATING", f"{MONDAY} 08:00"), event("TERMINATING", f"{MONDAY} 09:00")]
    rows = load_days(History(events), MONDAY).rows("state", "end_imputed")
    assert rows == [("TERMINATING", False), ("TERMINATING", False)]


@pytest.mark.parametrize(
    "state",
    [
        "CREATING",
        "STARTING",
        "INIT_SCRIPTS_STARTED",
        "RUNNING",
        "RESIZING",
        "UPSIZE_COMPLETED",
        "DRIVER_HEALTHY",
    ],
)
def test_a_cluster_first_seen_in_the_middle_of_its_life_is_up_by_what_it_does(state: str) -> None:
    rows = load_days(History([event(state, f"{MONDAY} 08:00")]), MONDAY).rows("isRunning")
    assert rows == [(True,)]


@pytest.mark.parametrize("state", ["EXPANDED_DISK", "NODES_LOST", "EDITED", "PINNED", "UNHEARD_OF"])
def test_what_can_trail_a_termination_does_not_tell_that_a_cluster_is_up(state: str) -> None:
    events = [event(state, f"{MONDAY} 08:00")]
    assert load_days(History(events), MONDAY).rows("isRunning") == [(False,)]


def test_what_trails_a_termination_stays_off_until_a_start() -> None:
    events = [
        event("TERMINATING", f"{MONDAY} 08:00"),
        event("EXPANDED_DISK", f"{MONDAY} 08:01"),
        event("NODES_LOST", f"{MONDAY} 08:02", current_num_workers=1),
        running(f"{MONDAY} 08:03", 2),
        starting(f"{MONDAY} 09:00"),
    ]
    rows = load_days(History(events), MONDAY).rows(*LIFE)
    assert rows == [
        ("TERMINATING", False, 0, 0),
        ("EXPANDED_DISK", False, 0, 0),
        ("NODES_LOST", False, 0, 0),
        ("RUNNING", False, 0, 0),
        ("STARTING", True, 2, 2),
    ]


def test_a_later_event_never_changes_what_a_state_was_opened_as() -> None:
    events = [event("PINNED", f"{MONDAY} 08:00"), event("TERMINATING", f"{TUESDAY} 08:00")]
    loaded = load_days(History(events), MONDAY, 2)
    assert loaded.days[MONDAY]["isRunning"].to_list() == [False]
    assert loaded.rows("state", "isRunning") == [("PINNED", False), ("TERMINATING", False)]


def test_an_event_after_an_imputed_end_opens_the_next_state() -> None:
    events = [running(at(100_000), 2), running(f"{WEDNESDAY} 00:01", 3)]
    loaded = load_days(History(events, [job_cluster()]), MONDAY, 3)
    assert loaded.rows(*LIFE, "end_imputed") == [
        ("RUNNING", True, 2, 2, True),
        ("TERMINATING_IMPUTED", False, 0, 0, False),
        ("RUNNING", True, 3, 3, False),
    ]


def test_what_does_not_tell_of_being_up_stays_off_after_an_imputed_end() -> None:
    events = [running(at(100_000), 2), event("EXPANDED_DISK", f"{WEDNESDAY} 08:00")]
    loaded = load_days(History(events, [job_cluster()]), MONDAY, 3)
    assert loaded.rows("isRunning") == [(True,), (False,), (False,)]


@pytest.mark.parametrize(("versions", "days"), [([job_cluster()], 2), ([], 30)])
def test_a_stopped_cluster_is_forgotten(versions: list[Row], days: int) -> None:
    begin = ms(f"{MONDAY} 08:00")
    history = History([event("TERMINATING", begin)], versions)
    last = ms(MONDAY) + days * DAY_MS
    spans = {
        "before": window(ms(MONDAY), last),
        "day": window(last, last + DAY_MS),
        "after": window(last + DAY_MS, last + 2 * DAY_MS),
    }
    loaded = load(history, spans)
    assert loaded.days["before"].select(END).rows() == [("TERMINATING", last, False, True)]
    assert loaded.rows(*END) == [("TERMINATING", begin + days * DAY_MS, True, False)]
    assert loaded.days["after"].is_empty()


def test_a_return_after_that_opens_a_new_state_that_counts_from_the_beginning() -> None:
    events = [event("TERMINATING", f"{MONDAY} 08:00"), running("2024-05-09 08:00", 2)]
    loaded = load_days(History(events, [job_cluster()]), MONDAY, 4)
    assert loaded.rows("state", "isRunning", "reset_partition", "counter_reset") == [
        ("TERMINATING", False, 1, 1),
        ("RUNNING", True, 0, 0),
    ]


def test_an_edit_does_not_change_the_workers_of_the_moment() -> None:
    events = [
        running(f"{MONDAY} 08:00", 2),
        event("RESIZING", f"{MONDAY} 08:10", current_num_workers=2, target_num_workers=6),
        event("EDITED", f"{MONDAY} 08:11", cluster_size={"num_workers": 1}),
        event("EDITED", f"{MONDAY} 08:12", cluster_size={"num_workers": 9}),
        event("UPSIZE_COMPLETED", f"{MONDAY} 08:13", current_num_workers=6),
    ]
    assert load_days(History(events), MONDAY).rows(*LIFE)[1:] == [
        ("RESIZING", True, 2, 6),
        ("EDITED", True, 2, 6),
        ("EDITED", True, 2, 6),
        ("UPSIZE_COMPLETED", True, 6, 6),
    ]


def test_an_edit_of_what_is_stopped_tells_the_workers_of_a_start_that_tells_none() -> None:
    events = [
        event("TERMINATING", f"{MONDAY} 08:00"),
        event("EDITED", f"{MONDAY} 08:11", cluster_size={"num_workers": 5}),
        event("STARTING", f"{TUESDAY} 08:12"),
    ]
    assert load_days(History(events), MONDAY, 2).rows(*LIFE)[1:] == [
        ("EDITED", False, 0, 0),
        ("STARTING", True, 5, 5),
    ]


def test_workers_that_nothing_tells_are_those_told_last_and_before_that_none() -> None:
    events = [
        event("STARTING", f"{MONDAY} 08:00"),
        event("CREATING", f"{MONDAY} 08:30", cluster_size={"num_workers": 3}),
        event("DRIVER_HEALTHY", f"{TUESDAY} 09:00"),
    ]
    loaded = load_days(History(events), MONDAY, 2)
    assert loaded.rows(*LIFE) == [
        ("STARTING", True, 0, 0),
        ("TERMINATING", False, 0, 0),
        ("CREATING", True, 3, 3),
        ("DRIVER_HEALTHY", True, 3, 3),
    ]


def test_what_is_wanted_while_creating_is_what_was_asked_for() -> None:
    events = [event("CREATING", f"{MONDAY} 08:00", current_num_workers=1, target_num_workers=7)]
    assert load_days(History(events), MONDAY).rows(*LIFE) == [("CREATING", True, 1, 0)]


def test_events_of_one_millisecond_follow_each_other_in_a_fixed_order() -> None:
    instant = f"{MONDAY} 08:00"
    events = [
        event("TERMINATING", instant),
        event("RUNNING", instant),
        event("CREATING", instant),
        event("EDITED", instant),
    ]
    expected = [("CREATING", 0), ("EDITED", 1), ("RUNNING", 2), ("TERMINATING", 3)]
    for told in (events, events[::-1]):
        loaded = load_days(History(told), MONDAY)
        assert loaded.rows("state", "seq") == expected
        assert loaded.rows("uptime_in_state_S")[:3] == [(0.0,)] * 3
        ends = loaded.shown["unixTimeMS_state_end"] - ms(instant)
        assert ends.to_list()[:3] == [-1, -1, -1]


def test_a_midnight_event_belongs_to_the_new_day_and_ends_the_state_on_it() -> None:
    history = History([running(f"{MONDAY} 08:00", 2), event("TERMINATING", TUESDAY)])
    loaded = load_days(history, MONDAY, 2)
    assert loaded.days[MONDAY].select(END).rows() == [("RUNNING", ms(TUESDAY), False, True)]
    assert loaded.days[TUESDAY].select(END).rows()[0] == (
        "RUNNING",
        ms(TUESDAY) - 1,
        False,
        False,
    )


def test_days_of_a_state_are_those_it_touches() -> None:
    history = History([running(f"{MONDAY} 23:50", 2), event("TERMINATING", f"{TUESDAY} 00:10")])
    loaded = load_days(history, MONDAY, 2)
    [row, _] = loaded.shown.to_dicts()
    monday, tuesday = date(2024, 5, 6), date(2024, 5, 7)
    assert (row["state_dates"], row["days_in_state"]) == ([monday, tuesday], 2)
    assert row["state_start_date"] == monday
    assert loaded.days[MONDAY]["days_in_state"].to_list() == [1]


def test_instants_keep_their_milliseconds() -> None:
    at_ms = "2024-05-06 08:00:00.123"
    [row] = load_days(History([running(at_ms, 2)]), MONDAY).shown.to_dicts()
    assert row["timestamp_state_start"] == utc(at_ms)
    assert row["timestamp_state_end"] == utc(TUESDAY)


@pytest.mark.parametrize(
    ("state", "is_billed"),
    [
        ("CREATING", False),
        ("STARTING", False),
        ("INIT_SCRIPTS_STARTED", True),
        ("RUNNING", True),
        ("DRIVER_HEALTHY", True),
    ],
)
def test_dbus_are_billed_in_states_that_the_reference_does_not_exempt(
    state: str,
    is_billed: bool,  # noqa: FBT001 - a case
) -> None:
    rows = load_days(History([event(state, f"{MONDAY} 08:00")]), MONDAY).rows("databricks_billable")
    assert rows == [(is_billed,)]


def test_restarting_costs_machines_and_no_dbus() -> None:
    events = [running(f"{MONDAY} 08:00", 2), event("RESTARTING", f"{MONDAY} 09:00")]
    rows = load_days(History(events), MONDAY).rows("cloud_billable", "databricks_billable")
    assert rows[1] == (True, False)


def test_a_deleted_cluster_stays_deleted_and_what_it_does_then_is_counted() -> None:
    events = [
        running(f"{MONDAY} 08:00", 2),
        running(f"{MONDAY} 12:00", 2),
        running(f"{TUESDAY} 08:00", 2),
    ]
    versions = [
        version("create", f"{MONDAY} 07:00"),
        version("permanentDelete", f"{MONDAY} 10:00"),
        version("permanentDelete", f"{TUESDAY} 10:00"),
    ]
    loaded = load_days(History(events, versions), MONDAY, 3)
    assert loaded.rows(*END) == [
        ("RUNNING", ms(f"{MONDAY} 10:00"), False, False),
        ("PERMENANT_DELETE", ms(f"{MONDAY} 10:00") + 1, False, False),
    ]
    ignored = {"after_permanent_delete": 1}
    assert (loaded.counted[MONDAY], loaded.counted[TUESDAY]) == (ignored, ignored)
    assert all(rows.is_empty() for day, rows in loaded.days.items() if day > MONDAY)


def test_a_stopped_cluster_that_is_deleted_ends_at_the_deletion_and_not_in_the_future() -> None:
    history = History(
        [event("TERMINATING", f"{MONDAY} 08:00")], [version("permanentDelete", f"{TUESDAY} 10:00")]
    )
    loaded = load_days(history, MONDAY, 2)
    assert loaded.rows(*END) == [
        ("TERMINATING", ms(f"{TUESDAY} 10:00"), False, False),
        ("PERMENANT_DELETE", ms(f"{TUESDAY} 10:00") + 1, False, False),
    ]


def test_an_event_in_the_millisecond_of_the_deletion_comes_before_it() -> None:
    instant = f"{MONDAY} 10:00"
    history = History([running(instant, 2)], [version("permanentDelete", instant)])
    loaded = load_days(history, MONDAY)
    assert loaded.rows("state", "uptime_in_state_S") == [
        ("RUNNING", 0.0),
        ("PERMENANT_DELETE", 0.0),
    ]


def test_a_deletion_of_one_cluster_does_not_touch_another() -> None:
    events = [running(f"{MONDAY} 08:00", 2), running(f"{MONDAY} 08:00", 4, "0506-2")]
    history = History(events, [version("permanentDelete", f"{MONDAY} 09:00")])
    rows = load_days(history, MONDAY).rows("cluster_id", "state", "is_open")
    assert rows == [
        (CLUSTER, "RUNNING", False),
        (CLUSTER, "PERMENANT_DELETE", False),
        ("0506-2", "RUNNING", True),
    ]


def test_a_day_of_twenty_five_hours_may_see_a_grace_begin_and_end() -> None:
    history = History([running(f"{MONDAY} 00:10", 2)], [job_cluster()])
    long_day = {"long": window(ms(MONDAY), ms(f"{TUESDAY} 01:00"))}
    assert load(history, long_day).rows(*END) == [
        ("RUNNING", ms(f"{MONDAY} 00:10"), True, False),
        ("TERMINATING_IMPUTED", ms(f"{TUESDAY} 01:00"), False, True),
    ]


def test_no_rows_come_of_runs_captures_and_versions_alone() -> None:
    history = History(
        versions=[job_cluster()],
        runs=[Run(f"{MONDAY} 09:00", f"{MONDAY} 17:00")],
        captures=captured(f"{MONDAY} 06:00", c_0506_1="RUNNING"),
    )
    assert load_days(history, MONDAY).shown.is_empty()
