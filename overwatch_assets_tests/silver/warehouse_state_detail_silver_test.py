from collections.abc import Sequence

import polars as pl
import pytest

from overwatch_assets.silver.warehouse_state_detail_silver import warehouse_state_detail_silver
from overwatch_assets_tests.frames import Row, ms
from overwatch_assets_tests.silver.cluster_days import Loaded, whole_days, window
from overwatch_assets_tests.silver.warehouse_days import Told, captured, event, load, run, version

MONDAY, TUESDAY, WEDNESDAY, THURSDAY = "2024-05-06", "2024-05-07", "2024-05-08", "2024-05-09"
DAY_MS = 86_400_000
ZERO = ms(MONDAY)
END = ("state", "unixTimeMS_state_end", "end_imputed", "is_open")
SIZES = ("state", "current_num_clusters", "target_num_clusters")


def at(milliseconds: int) -> int:
    return ZERO + milliseconds


def load_days(told: Told, count: int = 1) -> Loaded:
    return load(told, whole_days(MONDAY, count))


WORKED = (
    event("STARTING", at(0), 0),
    event("RUNNING", at(200_000), 1),
    event("SCALED_UP", at(900_000), 3),
    event("SCALED_DOWN", at(1_500_000), 2),
    event("STOPPING", at(1_800_000), 0),
    event("STOPPED", at(1_830_000), 0),
    event("STARTING", at(3_600_000), 0),
    event("RUNNING", at(3_800_000), 1),
    event("STARTING", at(5_400_000), 0),
    event("RUNNING", at(5_500_000), 1),
)
VERSIONS = (version("createWarehouse", at(-1), least=2),)
EXPECTED = [
    (0, 199_999, "STARTING", True, 0, 2, 0, 0, 199.999, 199.999, True, False),
    (200_000, 899_999, "RUNNING", True, 1, 1, 0, 0, 699.999, 899.998, True, True),
    (900_000, 1_499_999, "SCALED_UP", True, 3, 3, 0, 0, 599.999, 1499.997, True, True),
    (1_500_000, 1_799_999, "SCALED_DOWN", True, 2, 2, 0, 0, 299.999, 1799.996, True, True),
    (1_800_000, 1_829_999, "STOPPING", False, 0, 0, 1, 1, 29.999, 0, False, False),
    (1_830_000, 3_599_999, "STOPPED", False, 0, 0, 1, 2, 1769.999, 0, False, False),
    (3_600_000, 3_799_999, "STARTING", True, 0, 2, 1, 3, 199.999, 0, True, False),
    (3_800_000, 3_800_000, "RUNNING", True, 1, 1, 0, 3, 0.0, 199.999, True, True),
    (3_800_001, 5_399_999, "STOPPING", False, 0, 0, 1, 4, 1599.998, 0, False, False),
    (5_400_000, 5_499_999, "STARTING", True, 0, 2, 1, 5, 99.999, 0, True, False),
    (5_500_000, 7_200_000, "RUNNING", True, 1, 1, 0, 5, 1700.0, 1799.999, True, True),
]


def worked(loaded: Loaded) -> list[tuple[object, ...]]:
    start, end = (pl.col(f"unixTimeMS_state_{each}") - ZERO for each in ("start", "end"))
    return loaded.shown.select(
        start,
        end,
        "state",
        "isRunning",
        "current_num_clusters",
        "target_num_clusters",
        "state_transition_flag",
        "state_transition_flag_sum",
        "uptime_in_state_S",
        "uptime_since_restart_S",
        "cloud_billable",
        "databricks_billable",
    ).rows()


def test_a_life_comes_out_figure_for_figure() -> None:
    loaded = load(Told(WORKED, VERSIONS), {"first": window(at(0), at(7_200_000))})
    assert worked(loaded) == EXPECTED
    assert loaded.rows("end_imputed")[7:9] == [(True,), (False,)]
    assert loaded.rows("is_open")[9:] == [(False,), (True,)]


@pytest.mark.parametrize("cut", [200_000, 1_000_000, 1_830_000, 3_700_000, 5_400_000])
def test_it_is_the_same_in_two_windows(cut: int) -> None:
    told = Told((*WORKED, event("STOPPING", at(9_000_000), 0)), VERSIONS)
    whole = load(told, {"all": window(at(0), at(10_800_000))})
    spans = {"first": window(at(0), at(cut)), "second": window(at(cut), at(10_800_000))}
    assert worked(load(told, spans)) == worked(whole)
    assert worked(whole)[-2:] == [
        (5_500_000, 8_999_999, "RUNNING", True, 1, 1, 0, 5, 3499.999, 3599.998, True, True),
        (9_000_000, 10_800_000, "STOPPING", False, 0, 0, 1, 6, 1800.0, 0, False, False),
    ]


def test_the_order_of_events_does_not_matter() -> None:
    forward = load_days(Told(WORKED, VERSIONS))
    assert worked(load_days(Told(WORKED[::-1], VERSIONS))) == worked(forward)


@pytest.mark.parametrize("action", ["deleteEndpoint", "deleteWarehouse"])
def test_a_deletion_ends_what_runs_and_is_marked(action: str) -> None:
    told = Told(WORKED, [*VERSIONS, version(action, at(6_000_000))])
    loaded = load_days(told)
    assert worked(loaded)[-2:] == [
        (5_500_000, 6_000_000, "RUNNING", True, 1, 1, 0, 5, 500.0, 599.999, True, True),
        (6_000_001, 6_000_001, "PERMENANT_DELETE", False, 0, 0, 1, 6, 0.0, 0, False, False),
    ]
    assert not loaded.shown["is_open"].any()


def test_a_day_without_edits_of_warehouses_has_its_states_all_the_same() -> None:
    """Overwatch leaves the whole module out then."""
    assert load_days(Told(WORKED)).shown.height == len(EXPECTED)


def test_a_warehouse_deleted_days_ago_stays_deleted() -> None:
    deleted = version("deleteWarehouse", f"{MONDAY} 10:00")
    events = [event("RUNNING", f"{MONDAY} 08:00", 1), event("RUNNING", f"{WEDNESDAY} 08:00", 1)]
    loaded = load_days(Told(events, [deleted]), 4)
    assert loaded.rows("state", "is_open") == [("RUNNING", False), ("PERMENANT_DELETE", False)]
    assert loaded.counted[WEDNESDAY] == {"after_deletion": 1}


def test_what_is_made_anew_under_the_id_of_a_deleted_warehouse_counts() -> None:
    versions = [version("deleteWarehouse", MONDAY), version("editWarehouse", f"{MONDAY} 07:00")]
    loaded = load_days(Told([event("STARTING", f"{MONDAY} 08:00", 0)], versions))
    assert loaded.rows("state") == [("PERMENANT_DELETE",), ("STARTING",)]


@pytest.mark.parametrize(
    ("events", "least", "sizes"),
    [
        ([("RUNNING", 3)], 2, [("RUNNING", 3, 3)]),
        ([("RUNNING", None)], 2, [("RUNNING", 2, 2)]),
        ([("RUNNING", None)], None, [("RUNNING", 0, 0)]),
        ([("STARTING", None)], 2, [("STARTING", 2, 2)]),
        ([("STARTING", 0)], 2, [("STARTING", 0, 2)]),
        ([("STARTING", 0)], None, [("STARTING", 0, 0)]),
        ([("SCALED_UP", 4), ("RUNNING", None)], None, [("SCALED_UP", 4, 4), ("RUNNING", 4, 4)]),
        ([("SCALED_UP", 4), ("STOPPED", 4)], 2, [("SCALED_UP", 4, 4), ("STOPPED", 0, 0)]),
    ],
)
def test_clusters_are_those_that_an_event_tells_else_the_least_else_those_told_last(
    events: Sequence[tuple[str, int | None]], least: int | None, sizes: list[tuple[object, ...]]
) -> None:
    told = [event(kind, at(n), clusters) for n, (kind, clusters) in enumerate(events)]
    versions = [version("editWarehouse", at(-1), least=least)]
    assert load_days(Told(told, versions)).rows(*SIZES) == sizes


def test_the_least_clusters_are_those_before_the_state_else_the_first_ones_of_the_day() -> None:
    versions = [
        version("editWarehouse", at(100), least=2),
        version("editWarehouse", at(200), least=3),
        version("editWarehouse", at(300), least=4),
    ]
    events = [event("RUNNING", at(each)) for each in (50, 100, 200, 201)]
    assert load_days(Told(events, versions)).rows("current_num_clusters") == [
        (2,), (2,), (2,), (3,),
    ]  # fmt: skip


@pytest.mark.parametrize("state", ["STOPPING", "STOPPED", "TERMINATING"])
def test_every_way_of_stopping_switches_off(state: str) -> None:
    told = Told([event("RUNNING", at(0), 1), event(state, at(1000), 1), event("OTHER", at(2000))])
    shown = load_days(told).rows("state", "isRunning", "databricks_billable")
    assert shown == [("RUNNING", True, True), (state, False, False), ("OTHER", False, False)]


def test_a_stop_after_a_stop_imputes_nothing() -> None:
    """Overwatch imputes the end of warehouses that have stopped."""
    told = Told([event("STOPPED", at(0), 0), event("STOPPED", at(1000), 0)])
    assert load_days(told).rows("state", "end_imputed") == [("STOPPED", False), ("STOPPED", False)]


def test_stopping_and_stopped_of_one_millisecond_follow_each_other() -> None:
    told = [event("STOPPED", at(5), 0), event("SCALED_DOWN", at(5), 1), event("STOPPING", at(5), 0)]
    assert load_days(Told([*told, event("STARTING", at(5), 0)])).rows("state", "seq") == [
        ("STARTING", 0), ("SCALED_DOWN", 1), ("STOPPING", 2), ("STOPPED", 3),
    ]  # fmt: skip


@pytest.mark.parametrize("state", ["RUNNING", "SCALED_UP", "SCALED_DOWN", "STARTING"])
def test_a_warehouse_first_seen_in_the_middle_of_its_life_is_up(state: str) -> None:
    assert load_days(Told([event(state, at(0), 1)])).rows("isRunning") == [(True,)]


def test_a_start_reveals_a_stop_at_the_last_sign_of_life() -> None:
    events = [event("RUNNING", f"{MONDAY} 08:00", 1), event("STARTING", f"{TUESDAY} 09:00", 0)]
    runs = {MONDAY: [run(f"{MONDAY} 08:10", f"{MONDAY} 10:00")]}
    loaded = load_days(Told(events, runs=runs), 2)
    assert loaded.rows("state", "unixTimeMS_state_start", *END[1:]) == [
        ("RUNNING", ms(f"{MONDAY} 08:00"), ms(f"{MONDAY} 10:00") - 1, True, False),
        ("STOPPING", ms(f"{MONDAY} 10:00"), ms(f"{TUESDAY} 09:00") - 1, False, False),
        ("STARTING", ms(f"{TUESDAY} 09:00"), ms(WEDNESDAY), False, True),
    ]
    assert [day.height for day in loaded.days.values()] == [1, 3]


@pytest.mark.parametrize(
    "more", [{"clusterType": "existing"}, {"clusterId": "w-2"}, {"row_kind": "job_run"}]
)
def test_only_runs_on_the_warehouse_show_that_it_is_up(more: Row) -> None:
    events = [event("RUNNING", f"{MONDAY} 08:00", 1), event("STARTING", f"{TUESDAY} 09:00", 0)]
    runs = {MONDAY: [run(f"{MONDAY} 08:10", f"{MONDAY} 10:00", **more)]}
    [first, *_] = load_days(Told(events, runs=runs), 2).rows(*END)
    assert first == ("RUNNING", ms(f"{MONDAY} 08:00"), True, False)


FORGOTTEN = (event("RUNNING", f"{MONDAY} 08:00", 1),)


@pytest.mark.parametrize("state", ["STOPPED", "STOPPING", "DELETED", "another one is shown"])
def test_a_warehouse_that_a_capture_does_not_show_up_ended_at_its_last_sign(state: str) -> None:
    is_shown = state != "another one is shown"
    shown = captured(f"{WEDNESDAY} 06:00", *(() if is_shown else ("w-2",)), state=state)
    loaded = load_days(Told(FORGOTTEN, captures=[shown]), 3)
    assert loaded.rows(*END) == [
        ("RUNNING", ms(f"{MONDAY} 08:00"), True, False),
        ("TERMINATING_IMPUTED", ms(THURSDAY), False, True),
    ]
    assert loaded.rows("databricks_billable") == [(True,), (False,)]


@pytest.mark.parametrize("state", ["RUNNING", "STARTING", None])
def test_a_capture_that_shows_it_up_or_cannot_tell_does_not_end_it(state: str | None) -> None:
    shown = captured(f"{WEDNESDAY} 06:00", state=state)
    loaded = load_days(Told(FORGOTTEN, captures=[shown]), 3)
    assert loaded.rows(*END) == [("RUNNING", ms(THURSDAY), False, True)]


def test_a_run_on_a_warehouse_is_a_sign_of_life_and_its_silence_no_end() -> None:
    runs = {MONDAY: [run(f"{MONDAY} 09:00", f"{MONDAY} 09:30")]}
    assert load_days(Told(FORGOTTEN, runs=runs), 3).rows(*END) == [
        ("RUNNING", ms(THURSDAY), False, True)
    ]


def test_without_captures_it_ends_after_ninety_days_and_is_forgotten_after_thirty_more() -> None:
    spans = {
        "before": window(ms(MONDAY), ms("2024-08-04")),
        "day": window(ms("2024-08-04"), ms("2024-08-05")),
    }
    assert load(Told(FORGOTTEN), spans).rows(*END) == [
        ("RUNNING", ms(f"{MONDAY} 08:00"), True, False),
        ("TERMINATING_IMPUTED", ms(f"{MONDAY} 08:00") + 1 + 30 * DAY_MS, True, False),
    ]


def test_what_is_stopped_closes_after_thirty_days_and_a_return_begins_anew() -> None:
    events = [event("STOPPED", f"{MONDAY} 08:00", 0), event("RUNNING", "2024-06-10 08:00", 1)]
    spans = {
        "first": window(ms(MONDAY), ms("2024-06-05")),
        "closes": window(ms("2024-06-05"), ms("2024-06-06")),
        "returns": window(ms("2024-06-06"), ms("2024-06-11")),
    }
    loaded = load(Told(events), spans)
    assert loaded.rows("state", "isRunning", "unixTimeMS_state_end", "end_imputed") == [
        ("STOPPED", False, ms("2024-06-05 08:00"), True),
        ("RUNNING", True, ms("2024-06-11"), False),
    ]
    assert loaded.days["closes"].height == 1


def test_what_is_billed_is_decided_when_a_state_begins() -> None:
    told = Told([event("RUNNING", f"{MONDAY} 08:00", 1)])
    loaded = load_days(told, 2)
    assert [day["databricks_billable"].to_list() for day in loaded.days.values()] == [[True]] * 2


def test_two_warehouses_do_not_mix() -> None:
    events = [*WORKED, event("RUNNING", at(10), 7, "w-2")]
    rows = load_days(Told(events, VERSIONS)).shown.filter(pl.col("warehouse_id") == "w-2")
    assert rows.select("state", "current_num_clusters", "seq").rows() == [("RUNNING", 7, 0)]


def test_a_state_over_midnight_touches_both_days() -> None:
    events = [event("RUNNING", f"{MONDAY} 23:50", 1), event("STOPPING", f"{TUESDAY} 00:10", 0)]
    [row, _] = load_days(Told(events), 2).shown.to_dicts()
    assert [str(day) for day in row["state_dates"]] == [MONDAY, TUESDAY]
    assert (row["days_in_state"], str(row["state_start_date"])) == (2, MONDAY)


def test_no_events_give_no_rows_of_the_declared_types() -> None:
    rows = load_days(Told()).days[MONDAY]
    declared = {column.name: column.dtype for column in warehouse_state_detail_silver.table.columns}
    assert {name: rows.schema[name] for name in declared} == declared
    assert rows.is_empty()
