"""Faults planted in states, runs and versions: each turns a rule red, what is right does not."""

from collections.abc import Callable, Sequence

import polars as pl
import pytest

from overwatch_assets.execution.records import Check
from overwatch_assets.execution.rules import RuleBroken
from overwatch_assets.module import LEFT_OUT
from overwatch_assets.silver.cluster_spec_silver import cluster_spec_silver
from overwatch_assets.silver.cluster_state_detail_silver import cluster_state_detail_silver
from overwatch_assets.silver.jobrun_silver import jobrun_silver
from overwatch_assets_tests.frames import Row, ms, table
from overwatch_assets_tests.laws.cluster_world import audit_rows
from overwatch_assets_tests.ruled import checks_of
from overwatch_assets_tests.silver.cluster_days import (
    CLUSTER,
    History,
    event,
    load_days,
    running,
    starting,
    version,
    window,
)
from overwatch_assets_tests.silver.cluster_spec_silver_test import created, edited
from overwatch_assets_tests.silver.jobrun_silver_test import echo, ended, started

Fault = Callable[[pl.DataFrame], pl.DataFrame]

MONDAY, TUESDAY = "2024-05-06", "2024-05-07"
DAY = window(ms(MONDAY), ms(TUESDAY))
EVENTS = [
    starting(f"{MONDAY} 08:00"),
    running(f"{MONDAY} 08:05", 2),
    event("RESIZING", f"{MONDAY} 09:00", current_num_workers=2, target_num_workers=5),
    event("TERMINATING", f"{MONDAY} 10:00"),
    starting(f"{MONDAY} 12:00", cluster="0506-2"),
]


def right(rows: pl.DataFrame) -> pl.DataFrame:
    return rows


def of_states(
    fault: Fault = right, *events: Row, versions: tuple[Row, ...] = ()
) -> dict[str, Check]:
    """The rules of states, on rows in which a fault was planted."""
    told = events or EVENTS
    loaded = load_days(History(told, versions), MONDAY)
    ignored = pl.DataFrame(
        [(CLUSTER, reason) for reason, n in loaded.counted[MONDAY].items() for _ in range(n)],
        schema={"cluster_id": pl.String, LEFT_OUT: pl.String},
        orient="row",
    )
    rows = pl.concat([fault(loaded.days[MONDAY]), ignored], how="diagonal")
    inputs = {"cluster_events_bronze": table("cluster_events_bronze", *told)}
    return checks_of(cluster_state_detail_silver, rows, inputs, DAY)


def test_states_are_all_of_a_clusters_time_and_events_open_them() -> None:
    checks = of_states()
    hours = 16 + 12
    assert checks["state_time_is_cluster_time"].figures == {
        "cluster_ms": hours * 3_600_000,
        "states_ms": hours * 3_600_000,
    }
    assert checks["events_open_states"].figures == {
        "events": 5,
        "states_opened": 5,
        "events_ignored": 0,
    }


def test_events_after_a_deletion_are_counted_and_the_rule_holds() -> None:
    gone = version("permanentDelete", f"{MONDAY} 10:30")
    late = event("RESTARTING", f"{MONDAY} 11:00")
    figures = of_states(right, *EVENTS, late, versions=(gone,))["events_open_states"].figures
    assert (figures["events"], figures["events_ignored"]) == (6, 1)


def test_a_gap_after_a_deletion_is_no_time_of_a_cluster() -> None:
    gone = version("permanentDelete", f"{MONDAY} 10:30")
    again = version("create", f"{MONDAY} 11:00")
    back = starting(f"{MONDAY} 11:30")
    assert of_states(right, *EVENTS, back, versions=(gone, again))[
        "state_time_is_cluster_time"
    ].holds


def moved(state: str, column: str, by: int) -> Fault:
    """A state that begins or ends at another time."""

    def changed(rows: pl.DataFrame) -> pl.DataFrame:
        is_it = pl.col("state") == state
        return rows.with_columns(
            pl.when(is_it, cluster_id=CLUSTER)
            .then(pl.col(column) + by)
            .otherwise(column)
            .alias(column)
        )

    return changed


START, END = "unixTimeMS_state_start", "unixTimeMS_state_end"


@pytest.mark.parametrize(
    "fault",
    [
        moved("RUNNING", END, 1),
        moved("RUNNING", END, -1),
        moved("RUNNING", START, -60_000),
        moved("RESIZING", END, 5),
        moved("TERMINATING", START, 5),
    ],
    ids=["overlap", "gap", "early start", "over the end", "gap after what ran"],
)
def test_states_that_overlap_or_leave_a_gap_are_red_and_name_cluster_and_both_times(
    fault: Fault,
) -> None:
    with pytest.raises(RuleBroken, match=r"cluster_id 0506-1: cluster_ms \d+, states_ms \d+"):
        of_states(fault)


def test_an_overlap_that_a_gap_makes_up_for_is_red() -> None:
    def both(rows: pl.DataFrame) -> pl.DataFrame:
        return moved("RESIZING", END, -60_000)(moved("RUNNING", END, 60_000)(rows))

    with pytest.raises(RuleBroken, match="rule state_time_is_cluster_time is broken in 1 of 2"):
        of_states(both)


def test_an_event_without_a_state_is_red() -> None:
    def losing(rows: pl.DataFrame) -> pl.DataFrame:
        return rows.filter(pl.col("cluster_id") == CLUSTER)

    expected = "cluster_id 0506-2: events 1, states_opened 0, events_ignored 0"
    with pytest.raises(RuleBroken, match=expected):
        of_states(losing)


RUN_EVENTS = [
    started(f"{MONDAY} 10:00"),
    ended(f"{MONDAY} 11:00"),
    started(f"{MONDAY} 10:30", 502),
    echo(f"{MONDAY} 12:00"),
]
RUN_ROWS = [
    {"runId": 501, "row_kind": "run"},
    {"runId": 502, "row_kind": "run"},
    {"runId": 500, "row_kind": "job_run"},
]


def of_runs(rows: Sequence[Row], *counted: int) -> dict[str, Check]:
    """The rules of runs, on rows made by hand."""
    left_out = pl.DataFrame({"runId": counted, LEFT_OUT: ["end_of_job_run"] * len(counted)})
    both = pl.concat(
        [table("jobrun_silver", *rows).collect(), left_out.cast({"runId": pl.Int64})],
        how="diagonal",
    )
    inputs = {"audit_log_bronze": audit_rows(RUN_EVENTS).lazy()}
    return checks_of(jobrun_silver, both, inputs, DAY)


def test_runs_that_events_tell_of_have_rows_or_are_counted() -> None:
    check = of_runs(RUN_ROWS, 500)["events_make_runs"]
    assert check.figures == {"events": 4, "runs": 2, "events_counted": 1}


@pytest.mark.parametrize(("rows", "counted"), [(RUN_ROWS[:1], [500]), (RUN_ROWS, [])])
def test_a_run_without_a_row_is_red(rows: Sequence[Row], counted: list[int]) -> None:
    with pytest.raises(RuleBroken, match=r"runId 50\d: events 1, runs 0, events_counted 0"):
        of_runs(rows, *counted)


def of_versions(rows: Sequence[Row], *counted: str) -> dict[str, Check]:
    """The rules of versions of clusters, on rows made by hand."""
    at = [ms(each) for each in counted]
    left_out = pl.DataFrame({"timestamp": at, LEFT_OUT: ["no cluster id"] * len(at)})
    both = pl.concat(
        [
            table("cluster_spec_silver", *rows).collect(),
            left_out.cast({"timestamp": pl.Int64, LEFT_OUT: pl.String}),
        ],
        how="diagonal",
    )
    requests = created(f"{MONDAY} 08:00"), *[edited(f"{MONDAY} 09:00")] * 2
    events = [dict(each) for each in requests]
    inputs = {"audit_log_bronze": audit_rows(events).lazy()}
    return checks_of(cluster_spec_silver, both, inputs, DAY)


CREATED = {"cluster_id": "c1", "timestamp": ms(f"{MONDAY} 08:00"), "actionName": "create"}
EDITED = {"cluster_id": "c1", "timestamp": ms(f"{MONDAY} 09:00"), "actionName": "edit"}


def test_requests_are_versions_or_counted() -> None:
    figures = {"requests": 3, "versions": 2, "requests_counted": 0}
    assert of_versions([CREATED, EDITED])["requests_make_versions"].figures == figures
    assert of_versions([CREATED], f"{MONDAY} 09:00")["requests_make_versions"].holds


def test_a_request_that_is_neither_version_nor_counted_is_red() -> None:
    with pytest.raises(RuleBroken, match="actionName edit: requests 2, versions 0, requests_c"):
        of_versions([CREATED])
