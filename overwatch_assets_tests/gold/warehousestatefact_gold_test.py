from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets.expressions.state_costs import WAREHOUSE_AMOUNTS
from overwatch_assets.gold.warehousestatefact_gold import COLUMNS, warehousestatefact_gold
from overwatch_assets.module import Window
from overwatch_assets.presentation import warehousestatefact, warehousestatefactdaily
from overwatch_assets_tests.frames import Row, declared, ms, table
from overwatch_assets_tests.gold.state_frames import (
    Priced,
    carried_on,
    counted_apart,
    running,
    silver_states,
)
from overwatch_assets_tests.reference.files import configured, reference
from overwatch_assets_tests.silver.cluster_days import window

Figures = Mapping[str, pl.DataFrame]

MONDAY, TUESDAY, WEDNESDAY = "2024-05-06", "2024-05-07", "2024-05-08"
AWS = reference(configured()).inputs
AZURE = reference(configured(cloud="azure")).inputs
GCP = reference(configured(cloud="gcp")).inputs
WAREHOUSE = "w-1"


def version(at: str | int = 0, **more: Any) -> Row:
    """A version of the warehouse; times are ISO text or epoch ms."""
    instant = ms(at) if isinstance(at, str) else at
    named = {"warehouse_id": WAREHOUSE, "timestamp": instant, "seq": 0, "warehouse_name": "bi"}
    return {**named, "cluster_size": "Medium", **more}


def state(at: str = f"{MONDAY} 08:00", seconds: float = 3600, **more: Any) -> Row:
    """A state that runs and is billed, with two clusters."""
    clusters = {"current_num_clusters": 2, "target_num_clusters": 2}
    return running(at, seconds, **{"warehouse_id": WAREHOUSE, **clusters, **more})


def priced(
    states: Sequence[Row],
    versions: Sequence[Row] = (),
    *,
    figures: Figures = AWS,
    carried: pl.DataFrame | None = None,
    day: Window | None = None,
) -> Priced:
    """Costs of a day's states."""
    held = table("warehousestatefact_gold") if carried is None else carried.lazy()
    names = ("warehousedbudetails", "instancedetails", "dbucostdetails", "sku_choice")
    made = warehousestatefact_gold(
        silver_states("warehouse_state_detail_silver", states),
        table("warehouse_spec_silver", *versions),
        *(figures[name].lazy() for name in names),
        held,
        window=day or window(ms(MONDAY), ms(TUESDAY)),
    )
    return counted_apart(made)


def test_the_worked_example_comes_out_figure_for_figure() -> None:
    """Medium, 2 clusters, half an hour, 0.22 USD; Overwatch counts one cluster and no cost."""
    row = priced([state(seconds=1800)], [version()]).only
    assert (row["driver_dbus"], row["total_dbu_cost"]) == (24.0, pytest.approx(5.28, rel=1e-12))
    assert (row["hourly_dbus"], row["dbu_rate"], row["sku"]) == (24.0, 0.22, "sqlCompute")
    assert (row["uptime_in_state_S"], row["uptime_in_state_H"]) == (1800.0, 0.5)
    assert row["cost_reason"] is None


@pytest.mark.parametrize(
    ("figures", "size", "dbus", "workers", "cores"),
    [
        (AWS, "2X-Small", 4, 1, 8),
        (AWS, "Small", 12, 4, 16),
        (AWS, "4X-Large", 528, 256, 64),
        (AZURE, "X-Small", 6, 2, 8),
        (AZURE, "Large", 40, 16, 32),
    ],
)
def test_the_potential_is_that_of_all_workers_of_all_clusters(
    figures: Figures, size: str, dbus: int, workers: int, cores: int
) -> None:
    """Overwatch leaves the workers of a cluster out, and on Azure finds no cores."""
    states = [state(current_num_clusters=3)]
    row = priced(states, [version(cluster_size=size)], figures=figures).only
    assert row["driver_dbus"] == dbus * 3
    assert (row["worker_count"], row["driver_vCPUs"]) == (workers, cores)
    assert row["worker_potential_core_H"] == cores * workers * 3


@pytest.mark.parametrize("size", ["2X_SMALL", "XXSMALL", " 2x-small "])
def test_a_size_is_found_in_every_spelling(size: str) -> None:
    assert priced([state()], [version(cluster_size=size)]).only["hourly_dbus"] == 4


@pytest.mark.parametrize(
    "more",
    [
        {"state": "STARTING", "databricks_billable": False, "current_num_clusters": 0},
        {"state": "STOPPED", "databricks_billable": False, "cloud_billable": False},
        {"state": "RUNNING", "current_num_clusters": 0},
    ],
)
def test_what_is_not_billed_or_has_no_cluster_costs_nothing_whatever_is_unknown(
    more: Mapping[str, Any],
) -> None:
    for versions in ([version()], []):
        found = priced([state(**more)], versions)
        assert [found.only[name] for name in WAREHOUSE_AMOUNTS] == [0.0, 0.0, 0.0]
        assert (found.only["cost_reason"], found.counted) == (None, {})


def test_a_state_has_what_the_warehouse_was_before_it_and_not_what_it_became() -> None:
    """Overwatch takes the next specification."""
    versions = [
        version(MONDAY, cluster_size="Small", warehouse_name="old", tags={"team": "bi"}),
        version(f"{MONDAY} 08:00", cluster_size="Large", warehouse_name="new"),
        version(f"{MONDAY} 08:30", cluster_size="X-Large", warehouse_name="newer"),
    ]
    states = [state(), state(f"{MONDAY} 08:00:00.001")]
    found = priced(states, versions).of("warehouse_name", "cluster_size", "hourly_dbus")
    assert found == [("old", "Small", 12.0), ("new", "Large", 40.0)]


def test_before_any_version_the_first_one_after_holds() -> None:
    versions = [
        version(f"{MONDAY} 09:00", cluster_size="Small"),
        version(f"{MONDAY} 10:00", cluster_size="Large"),
    ]
    assert priced([state()], versions).only["cluster_size"] == "Small"


def test_what_is_not_known_makes_the_cost_null_and_says_so() -> None:
    found = priced([state()])
    for name in (*WAREHOUSE_AMOUNTS, "dbu_rate", "sku", "cluster_size"):
        assert found.only[name] is None
    assert found.only["cost_reason"] == "specification_unknown"
    assert found.counted == {"without cost (-): specification_unknown": 1}


def test_an_unknown_size_has_a_rate_and_no_cost() -> None:
    found = priced([state()], [version(cluster_size="Gigantic")])
    assert (found.only["driver_dbus"], found.only["total_dbu_cost"]) == (None, None)
    assert (found.only["cost_reason"], found.only["dbu_rate"]) == ("cluster_size_unknown", 0.22)
    assert found.counted == {"without cost (Gigantic): cluster_size_unknown": 1}


def test_a_cloud_without_sizes_costs_null_and_not_zero() -> None:
    row = priced([state()], [version()], figures=GCP).only
    assert (row["total_dbu_cost"], row["cost_reason"]) == (None, "cluster_size_unknown")


def test_an_unknown_price_leaves_the_dbus() -> None:
    none = {**AWS, "dbucostdetails": AWS["dbucostdetails"].filter(pl.col("sku") != "sqlCompute")}
    row = priced([state()], [version()], figures=none).only
    assert (row["driver_dbus"], row["total_dbu_cost"]) == (48.0, None)
    assert (row["cost_reason"], row["sku"]) == ("dbu_price_unknown", "sqlCompute")


def test_unknown_cores_leave_dbus_and_cost() -> None:
    none = {**AWS, "instancedetails": AWS["instancedetails"].clear()}
    row = priced([state()], [version()], figures=none).only
    assert (row["worker_potential_core_H"], row["driver_vCPUs"]) == (None, None)
    assert (row["total_dbu_cost"], row["cost_reason"]) == (pytest.approx(10.56), None)


PRICED_ANEW = reference(
    configured("sql_compute_dbu_price: [{price: 0.2}, {price: 0.3, valid_from: 2024-05-07}]")
).inputs


def test_a_price_holds_from_its_first_midnight_on_and_for_the_whole_state() -> None:
    """At a change at midnight Overwatch has two rows."""
    states = [state(f"{MONDAY} 23:59:59.999", 86400), state(TUESDAY, 86400)]
    found = priced(states, [version()], figures=PRICED_ANEW).of("dbu_rate", "total_dbu_cost")
    assert found == [(0.2, pytest.approx(230.4)), (0.3, pytest.approx(345.6))]


WITH_SERVERLESS = reference(
    configured(deployment="prices: {dbu_cost_details: dbu.csv}"),
    {"dbu.csv": "sku,contract_price\nserverless,0.7\n"},
).inputs


@pytest.mark.parametrize(
    ("figures", "told", "expected"),
    [
        (WITH_SERVERLESS, {"enable_serverless_compute": True}, ("serverless", 0.7)),
        (WITH_SERVERLESS, {"enable_serverless_compute": False}, ("sqlCompute", 0.22)),
        (WITH_SERVERLESS, {}, ("sqlCompute", 0.22)),
        (AWS, {"enable_serverless_compute": True}, ("sqlCompute", 0.22)),
    ],
)
def test_serverless_has_a_price_of_its_own_where_there_is_one(
    figures: Figures, told: Mapping[str, Any], expected: tuple[str, float]
) -> None:
    row = priced([state()], [version(**told)], figures=figures).only
    assert (row["sku"], row["dbu_rate"]) == expected


OPEN = state(f"{MONDAY} 20:00", 4 * 3600, is_open=True)


def test_many_kinds_of_states_in_one_frame() -> None:
    """Scaled up, starting, of no cluster, stopped, not known; what does not count is 0 in each."""
    states = [
        state(f"{MONDAY} 08:00", 1800, current_num_clusters=3),
        state(f"{MONDAY} 09:00", 60, databricks_billable=False, state="STARTING"),
        state(f"{MONDAY} 10:00", 3600, current_num_clusters=0),
        state(f"{MONDAY} 10:30", 3600, current_num_clusters=1),
        state(f"{MONDAY} 11:00", 3600, databricks_billable=False, current_num_clusters=0),
        state(f"{MONDAY} 12:00", 3600, current_num_clusters=0, warehouse_id="unknown"),
    ]
    rows = priced(states, [version(cluster_size="Small")]).of(*WAREHOUSE_AMOUNTS, "cost_reason")
    assert rows == [
        (16 * 4 * 3 * 0.5, 12 * 3 * 0.5, pytest.approx(12 * 3 * 0.5 * 0.22), None),
        (0.0, 0.0, 0.0, None),
        (0.0, 0.0, 0.0, None),
        (16 * 4, 12.0, pytest.approx(2.64), None),
        (0.0, 0.0, 0.0, None),
        (0.0, 0.0, 0.0, None),
    ]
    priced_apart = priced(states[:1], [version(enable_serverless_compute=True)], figures=AWS)
    assert priced_apart.of("sku", "dbu_rate") == [("sqlCompute", 0.22)]


def test_a_state_that_begins_with_the_day_is_not_the_one_that_was_open() -> None:
    opened = priced([OPEN], [version()])
    found = priced(
        [state(TUESDAY), state(f"{TUESDAY} 01:00", warehouse_id="w-2")],
        [
            version(f"{MONDAY} 23:00", cluster_size="Large"),
            version(f"{TUESDAY} 01:00", cluster_size="X-Small", warehouse_id="w-2", seq=0),
            version(f"{TUESDAY} 01:00", cluster_size="Small", warehouse_id="w-2", seq=1),
        ],
        carried=carried_on(warehousestatefact_gold, opened.rows),
        day=window(ms(TUESDAY), ms(WEDNESDAY)),
    )
    assert found.of("cluster_size") == [("Large",), ("X-Small",)]


def test_an_open_state_keeps_what_it_was_given_when_it_began() -> None:
    opened = priced([OPEN], [version()], figures=PRICED_ANEW)
    assert opened.only["total_dbu_cost"] == pytest.approx(24 * 2 * 4 * 0.2)
    closed = priced(
        [state(f"{MONDAY} 20:00", 6 * 3600)],
        [version(f"{TUESDAY} 01:00", cluster_size="Large", warehouse_name="new")],
        figures=PRICED_ANEW,
        carried=carried_on(warehousestatefact_gold, opened.rows),
        day=window(ms(TUESDAY), ms(WEDNESDAY)),
    ).only
    assert (closed["warehouse_name"], closed["hourly_dbus"], closed["dbu_rate"]) == ("bi", 24, 0.2)
    assert closed["total_dbu_cost"] == pytest.approx(24 * 2 * 6 * 0.2)


def test_an_open_state_of_which_nothing_was_known_is_asked_for_again() -> None:
    opened = priced([OPEN])
    assert opened.only["cost_reason"] == "specification_unknown"
    later = priced(
        [state(f"{MONDAY} 20:00", 6 * 3600)],
        [version(f"{TUESDAY} 01:00")],
        carried=carried_on(warehousestatefact_gold, opened.rows),
        day=window(ms(TUESDAY), ms(WEDNESDAY)),
    ).only
    assert (later["warehouse_name"], later["cost_reason"]) == ("bi", None)
    assert later["total_dbu_cost"] == pytest.approx(24 * 2 * 6 * 0.22)


def test_a_state_that_a_later_day_imputes_before_its_start_has_what_the_open_one_had() -> None:
    opened = priced([OPEN], [version()])
    imputed = state(f"{MONDAY} 21:00", 3600, state="STOPPING", databricks_billable=False)
    found = priced(
        [state(f"{MONDAY} 20:00", 3600), imputed, state(f"{TUESDAY} 08:00")],
        [version(f"{TUESDAY} 07:00", cluster_size="Large")],
        carried=carried_on(warehousestatefact_gold, opened.rows),
        day=window(ms(TUESDAY), ms(WEDNESDAY)),
    )
    assert found.of("cluster_size") == [("Medium",), ("Medium",), ("Large",)]


def test_a_warehouse_whose_versions_are_forgotten_is_what_it_was() -> None:
    opened = priced([OPEN], [version()])
    found = priced(
        [state(f"{TUESDAY} 08:00")],
        carried=carried_on(warehousestatefact_gold, opened.rows),
        day=window(ms(TUESDAY), ms(WEDNESDAY)),
    )
    assert found.of("warehouse_name", "cluster_size") == [("bi", "Medium")]


def test_versions_of_another_warehouse_tell_nothing() -> None:
    row = priced([state()], [version(warehouse_id="w-2")]).only
    assert row["cost_reason"] == "specification_unknown"


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 86_400), st.booleans()), min_size=1),
    st.integers(1, 7),
)
def test_costs_are_those_of_clusters_time_and_rate_and_grow_with_the_time(
    told: list[tuple[int, int, bool]], factor: int
) -> None:
    def costed(times: int) -> list[dict[str, Any]]:
        states = [
            state(
                seconds=seconds * times,
                seq=seq,
                current_num_clusters=clusters,
                databricks_billable=is_billed,
            )
            for seq, (clusters, seconds, is_billed) in enumerate(told)
        ]
        return priced(states, [version()]).rows.sort("seq").to_dicts()

    for (clusters, seconds, is_billed), once, often in zip(
        told, costed(1), costed(factor), strict=True
    ):
        dbus = 24 * clusters * seconds / 3600 if is_billed else 0
        assert once["driver_dbus"] == pytest.approx(dbus)
        assert once["total_dbu_cost"] == pytest.approx(dbus * 0.22)
        assert often["total_dbu_cost"] == pytest.approx(factor * once["total_dbu_cost"])


def test_the_states_own_columns_are_silvers() -> None:
    silver = {column.name: column for column in declared("warehouse_state_detail_silver").columns}
    own = {column.name: column.dtype for column in COLUMNS}
    both = silver.keys() & own.keys()
    assert {name: own[name] for name in both} == {name: silver[name].dtype for name in both}
    assert silver.keys() - own.keys() == {
        "isRunning", "timestamp", "state_transition_flag", "state_transition_flag_sum",
        "last_told_clusters", "last_sign_of_life",
    }  # fmt: skip


def test_the_views_show_every_column() -> None:
    stored = {column.name for column in COLUMNS}
    shown = set(warehousestatefact.VIEW.columns) - {"organization_id", "workspace_name"}
    assert shown == stored
    assert {*WAREHOUSE_AMOUNTS} <= {*warehousestatefactdaily.AMOUNTS}
    assert (
        {*warehousestatefactdaily.AMOUNTS}
        <= {*warehousestatefactdaily.VIEW.columns}
        <= {*warehousestatefact.VIEW.columns}
    )
