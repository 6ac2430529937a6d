from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets.expressions.state_costs import CLUSTER_AMOUNTS
from overwatch_assets.gold.clusterstatefact_gold import clusterstatefact_gold
from overwatch_assets.module import Window
from overwatch_assets_tests.frames import Row, ms, table
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
Named = Mapping[str, Any]

CLUSTER = "0506-1"
MONDAY, TUESDAY, WEDNESDAY = "2024-05-06", "2024-05-07", "2024-05-08"
DAY_MS = 86_400_000
AZURE = reference(configured(cloud="azure")).inputs
AWS = reference(configured()).inputs
DS3: Named = {"driver_node_type_id": "Standard_DS3_v2", "node_type_id": "Standard_DS3_v2"}
I3: Named = {"driver_node_type_id": "i3.xlarge", "node_type_id": "i3.xlarge"}
PHOTON: Named = {"runtime_engine": "PHOTON"}
JOB: Named = {"cluster_name": "job-7-run-9", "spark_version": "15.4.x-scala2.12"}


def definition(at: str | int = 0, **more: Any) -> Row:
    """A version of the cluster; times are ISO text or epoch ms."""
    instant = ms(at) if isinstance(at, str) else at
    named = {"cluster_id": CLUSTER, "actionName": "create", "timestamp": instant, "seq": 0}
    return {**named, "cluster_name": "shared", "runtime_engine": "STANDARD", **more}


def state(at: str = f"{MONDAY} 08:00", seconds: float = 3600, **more: Any) -> Row:
    """A state that runs and is billed, with two workers."""
    workers = {"current_num_workers": 2, "target_num_workers": 2}
    return running(at, seconds, **{"cluster_id": CLUSTER, **workers, **more})


def priced(
    states: Sequence[Row],
    versions: Sequence[Row] = (),
    *,
    figures: Figures = AWS,
    carried: pl.DataFrame | None = None,
    day: Window | None = None,
) -> Priced:
    """Costs of a day's states."""
    held = table("clusterstatefact_gold") if carried is None else carried.lazy()
    names = ("instancedetails", "dbucostdetails", "sku_choice", "photon_multipliers")
    made = clusterstatefact_gold(
        silver_states("cluster_state_detail_silver", states),
        table("cluster_spec_silver", *versions),
        *(figures[name].lazy() for name in names),
        held,
        window=day or window(ms(MONDAY), ms(TUESDAY)),
    )
    return counted_apart(made)


WORKED: dict[str, tuple[Row, Row, Figures, tuple[float, ...]]] = {
    "A running": (
        state(seconds=1800),
        definition(**DS3, **PHOTON),
        AZURE,
        (0.75, 1.5, 0.115, 0.23, 0.4125, 0.825, 0.345, 1.2375, 0.5275, 1.055, 1.5825, 4.0, 6.0),
    ),
    "B resizing up": (
        state(seconds=600, state="RESIZING", target_num_workers=5),
        definition(**DS3, **PHOTON, **JOB),
        AZURE,
        (
            *(0.3625, 0.725, 0.038333, 0.191667, 0.054375, 0.10875, 0.23, 0.163125),
            *(0.092708, 0.300417, 0.393125, 1.333333, 2.0),
        ),
    ),
    "C starting": (
        state(seconds=300, state="STARTING", databricks_billable=False),
        definition(**DS3, **PHOTON),
        AZURE,
        (0, 0, 0.019167, 0.038333, 0, 0, 0.0575, 0, 0.019167, 0.038333, 0.0575, 0, 1.0),
    ),
    "D single node": (
        state(current_num_workers=0, target_num_workers=0),
        definition(driver_node_type_id="i3.xlarge", custom_tags='{"ResourceClass":"SingleNode"}'),
        AWS,
        (1.0, 0, 0.312, 0, 0.55, 0, 0.312, 0.55, 0.862, 0, 0.862, 4.0, 4.0),
    ),
    "E terminating": (
        state(
            seconds=86400,
            state="TERMINATING",
            current_num_workers=0,
            target_num_workers=0,
            cloud_billable=False,
            databricks_billable=False,
        ),
        definition(**DS3),
        AZURE,
        (0,) * 13,
    ),
    "F resizing down": (
        state(seconds=600, state="RESIZING", current_num_workers=5, target_num_workers=2),
        definition(**DS3, **JOB),
        AZURE,
        (
            *(0.125, 0.625, 0.038333, 0.076667, 0.01875, 0.09375, 0.115, 0.1125),
            *(0.057083, 0.170417, 0.2275, 3.333333, 2.0),
        ),
    ),
}


@pytest.mark.parametrize("case", WORKED)
def test_the_worked_examples_come_out_figure_for_figure(case: str) -> None:
    row, version, figures, expected = WORKED[case]
    found = priced([row], [version], figures=figures).only
    columns = (
        "driver_dbus",
        "worker_dbus",
        "driver_compute_cost",
        "worker_compute_cost",
        "driver_dbu_cost",
        "worker_dbu_cost",
        "total_compute_cost",
        "total_DBU_cost",
        "total_driver_cost",
        "total_worker_cost",
        "total_cost",
        "worker_potential_core_H",
        "core_hours",
    )
    assert [found[name] for name in columns] == pytest.approx(list(expected), abs=5e-7)
    assert found["cost_reason"] is None


def test_the_worked_examples_have_their_skus_rates_and_photon_factors() -> None:
    found = {
        case: priced([row], [version], figures=figures).only
        for case, (row, version, figures, _) in WORKED.items()
    }
    shown = {
        case: (row["sku"], row["dbu_rate"], row["photon_multiplier"], row["isAutomated"])
        for case, row in found.items()
    }
    assert shown["A running"] == ("interactive", 0.55, 2.0, False)
    assert shown["B resizing up"] == ("automated", 0.15, 2.9, True)
    assert shown["D single node"] == ("interactive", 0.55, 1.0, False)
    assert shown["F resizing down"] == ("automated", 0.15, 1.0, True)


def priced_m5(*starts: str, seconds: float = DAY_MS / 1000) -> list[tuple[object, ...]]:
    files = {
        "nodes.csv": "API_Name,Compute_Contract_Price,activeFrom,activeUntil\n"
        "m5.xlarge,0.192,,2024-07-01\nm5.xlarge,0.173,2024-07-01,\n"
    }
    config = configured("prices: {instance_details: nodes.csv}")
    version = definition(driver_node_type_id="m5.xlarge", cluster_type="Single Node")
    states = [state(start, seconds, databricks_billable=False) for start in starts]
    found = priced(states, [version], figures=reference(config, files).inputs)
    return found.of("driver_compute_cost")


def test_the_price_at_the_start_of_a_state_holds_for_all_of_it() -> None:
    [(before,), (after,)] = priced_m5("2024-06-30 23:59:59.999", "2024-07-01 00:00:00.000")
    assert (before, after) == (pytest.approx(4.608), pytest.approx(4.152))


def test_a_state_that_starts_at_the_midnight_of_a_change_is_one_row() -> None:
    assert len(priced_m5("2024-07-01")) == 1


def skus(figures: Figures = AWS, **more: Any) -> tuple[object, ...]:
    found = priced([state()], [definition(**I3, **more)], figures=figures)
    return found.of("sku", "dbu_rate", "isAutomated")[0]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"cluster_name": "job-7-run-9", "spark_version": None}, ("automated", 0.15, True)),
        (
            {"cluster_name": "job-7-run-9-main", "spark_version": "apache_spark_3.5.x-scala2.12"},
            ("jobsLight", 0.10, True),
        ),
        ({"cluster_source": "JOB", "cluster_name": "nightly"}, ("automated", 0.15, True)),
        ({"cluster_source": "UI", "cluster_name": "job-7-run-9"}, ("interactive", 0.55, False)),
        ({"cluster_type": "SQL Analytics"}, ("sqlCompute", 0.22, False)),
        ({"cluster_type": "High-Concurrency"}, ("interactive", 0.55, False)),
        ({"cluster_source": "PIPELINE"}, ("interactive", 0.55, False)),
        ({"cluster_name": None}, ("unknown", None, None)),
    ],
)
def test_what_a_cluster_is_decides_what_its_dbus_are_billed_as(
    told: Named, expected: tuple[object, ...]
) -> None:
    assert skus(**told) == expected


def test_a_pipeline_is_billed_as_such_where_that_has_a_price() -> None:
    config = configured("prices: {dbu_cost_details: skus.csv}")
    figures = reference(config, {"skus.csv": "sku,contract_price\ndlt,0.36\n"}).inputs
    assert skus(figures, cluster_source="PIPELINE") == ("dlt", 0.36, False)


def test_the_rate_is_that_of_the_state_and_not_of_the_last_edit() -> None:
    config = configured("prices: {dbu_cost_details: skus.csv}")
    text = "sku,contract_price,activeFrom,activeUntil\ninteractive,0.5,,2024-05-06\n"
    text += "interactive,0.7,2024-05-06,\n"
    figures = reference(config, {"skus.csv": text}).inputs
    versions = [definition("2024-01-01", **I3)]
    assert priced([state()], versions, figures=figures).of("dbu_rate") == [(0.7,)]


@pytest.mark.parametrize("engine", ["STANDARD", "UNKNOWN", None])
def test_without_photon_dbus_are_not_multiplied(engine: str | None) -> None:
    row = priced([state()], [{**definition(**I3), "runtime_engine": engine}]).only
    assert (row["driver_dbus"], row["worker_dbus"], row["photon_multiplier"]) == (1.0, 2.0, 1.0)


def test_clusters_of_warehouses_have_no_photon_factor() -> None:
    version = definition(**I3, **PHOTON, cluster_type="SQL Analytics")
    assert priced([state()], [version]).only["driver_dbus"] == 1.0


def test_without_a_factor_of_the_sku_photon_multiplies_nothing() -> None:
    row = priced([state()], [definition(**I3, **PHOTON, cluster_name=None)]).only
    assert (row["sku"], row["photon_multiplier"], row["driver_dbus"]) == ("unknown", 1.0, 1.0)


def test_core_hours_have_six_digits() -> None:
    """12 cores for 10 s."""
    assert priced([state(seconds=10)], [definition(**I3)]).only["core_hours"] == 0.033333


def test_a_single_node_without_tags_is_one_by_its_type() -> None:
    version = definition(**I3, cluster_type="Single Node")
    row = priced([state()], [version]).only
    assert (row["worker_compute_cost"], row["worker_dbus"]) == (0.0, 0.0)
    assert (row["worker_potential_core_H"], row["core_hours"]) == (4.0, 4.0)


MISSING: dict[str, tuple[list[Row], str, set[str]]] = {
    "nothing is known of the cluster": (
        [],
        "specification_unknown, sku_unknown",
        {"driver_compute_cost", "worker_compute_cost", "driver_dbus", "driver_dbu_cost"},
    ),
    "the driver's node type is not listed": (
        [definition(driver_node_type_id="m99.huge", node_type_id="i3.xlarge")],
        "driver_node_type_unknown",
        {"driver_compute_cost", "driver_dbus", "driver_dbu_cost"},
    ),
    "the workers' node type is not listed": (
        [definition(driver_node_type_id="i3.xlarge", node_type_id="m99.huge")],
        "worker_node_type_unknown",
        {"worker_compute_cost", "worker_dbus", "worker_dbu_cost"},
    ),
    "node types were never told": (
        [definition()],
        "driver_node_type_unknown, worker_node_type_unknown",
        {"driver_compute_cost", "worker_compute_cost", "driver_dbus", "worker_dbus"},
    ),
    "machines have no price": (
        [definition(driver_node_type_id="m7g.xlarge", node_type_id="m7g.xlarge")],
        "driver_price_unknown, worker_price_unknown",
        {"driver_compute_cost", "worker_compute_cost"},
    ),
    "the kind of cluster is not known": (
        [definition(**I3, cluster_name=None)],
        "sku_unknown",
        {"driver_dbu_cost", "worker_dbu_cost"},
    ),
}
PARTS = (
    "driver_compute_cost",
    "worker_compute_cost",
    "driver_dbus",
    "worker_dbus",
    "driver_dbu_cost",
    "worker_dbu_cost",
)


@pytest.mark.parametrize("case", MISSING)
def test_what_is_not_known_is_null_with_a_reason_and_counted_and_never_zero(case: str) -> None:
    versions, reason, missing = MISSING[case]
    found = priced([state()], versions)
    nulls = {name for name in PARTS if found.only[name] is None}
    assert missing <= nulls
    assert found.only["cost_reason"] == reason
    assert found.only["total_cost"] is None
    assert [text.endswith(f": {reason}") for text in found.counted] == [True]
    assert list(found.counted.values()) == [1]


def test_a_dbu_price_that_is_missing_leaves_machines_their_cost() -> None:
    figures = {**AWS, "dbucostdetails": AWS["dbucostdetails"].clear()}
    row = priced([state()], [definition(**I3)], figures=figures).only
    assert row["cost_reason"] == "dbu_price_unknown"
    assert (row["total_compute_cost"], row["total_dbus"]) == (pytest.approx(0.936), 3.0)
    assert (row["total_DBU_cost"], row["total_cost"]) == (None, None)


def test_what_a_driver_alone_lacks_is_told() -> None:
    alone = state(current_num_workers=0, target_num_workers=0)
    without_price = {**AWS, "dbucostdetails": AWS["dbucostdetails"].clear()}
    single = definition(driver_node_type_id="i3.xlarge", cluster_type="Single Node")
    for versions, figures, reason in (
        ([], AWS, "specification_unknown, sku_unknown"),
        ([single], without_price, "dbu_price_unknown"),
    ):
        assert priced([alone], versions, figures=figures).only["cost_reason"] == reason


def test_workers_of_an_unknown_type_cost_nothing_while_there_are_none() -> None:
    row = state(current_num_workers=0, target_num_workers=0)
    found = priced([row], [definition(driver_node_type_id="i3.xlarge")]).only
    assert (found["worker_compute_cost"], found["cost_reason"]) == (0.0, None)


def test_what_does_not_run_costs_nothing_whatever_is_known() -> None:
    row = state(
        state="TERMINATING",
        current_num_workers=0,
        target_num_workers=0,
        cloud_billable=False,
        databricks_billable=False,
    )
    found = priced([row])
    assert [found.only[name] for name in CLUSTER_AMOUNTS] == [0.0] * len(CLUSTER_AMOUNTS)
    assert (found.only["cost_reason"], found.counted) == (None, {})


def test_a_state_lasts_up_to_the_next_which_is_a_millisecond_after_its_end() -> None:
    start = ms(f"{MONDAY} 08:00")
    ends = {"unixTimeMS_state_start": start, "unixTimeMS_state_end": start + 899_999}
    row = priced([{**state(), **ends}], [definition(**I3)]).only
    assert (row["uptime_in_state_S"], row["uptime_in_state_H"]) == (900.0, 0.25)
    assert row["driver_compute_cost"] == 0.312 * 0.25
    assert (row["unixTimeMS_state_end"], row["total_dbus"]) == (start + 899_999, 0.75)


def test_an_open_state_lasts_up_to_where_it_is_cut() -> None:
    start = ms(f"{MONDAY} 08:00")
    row = priced([{**state(is_open=True), "unixTimeMS_state_end": start + 900_000}]).only
    assert row["uptime_in_state_H"] == 0.25


def test_a_state_that_another_one_overtakes_at_once_amounts_to_nothing() -> None:
    start = ms(f"{MONDAY} 08:00")
    overtaken = {"unixTimeMS_state_start": start, "unixTimeMS_state_end": start - 1}
    row = priced([{**state(), **overtaken}], [definition(**I3)]).only
    assert (row["uptime_in_state_S"], row["total_cost"], row["cost_reason"]) == (0.0, 0.0, None)


def test_a_state_takes_the_version_before_its_start() -> None:
    instant = f"{MONDAY} 08:00"
    versions = [
        definition(f"{MONDAY} 07:00", **I3, cluster_name="old"),
        definition(instant, **I3, cluster_name="new"),
    ]
    states = [state(instant), state(f"{MONDAY} 08:00:00.001")]
    assert priced(states, versions).of("cluster_name") == [("old",), ("new",)]


def test_without_one_it_takes_the_first_of_the_day_after_it() -> None:
    versions = [
        definition(f"{MONDAY} 12:00", **I3, cluster_name="second"),
        definition(f"{MONDAY} 09:00", **I3, cluster_name="first"),
        definition(f"{MONDAY} 09:00", **I3, cluster_name="edited at once", seq=1),
    ]
    assert priced([state()], versions).of("cluster_name") == [("first",)]


def test_a_version_counts_whole_nothing_of_an_older_one_shines_through() -> None:
    versions = [
        definition(f"{MONDAY} 06:00", **I3, custom_tags='{"team":"bi"}'),
        definition(f"{MONDAY} 07:00", driver_node_type_id="i3.xlarge"),
    ]
    assert priced([state()], versions).of("custom_tags", "node_type_id") == [(None, None)]


TUESDAY_WINDOW = window(ms(TUESDAY), ms(WEDNESDAY))


def carried_over(*versions: Row, figures: Figures = AWS) -> pl.DataFrame:
    return carried_on(
        clusterstatefact_gold, priced([state(is_open=True)], versions, figures=figures).rows
    )


def test_an_open_state_keeps_what_it_was_given_whatever_changes() -> None:
    carried = carried_over(definition(**I3))
    dearer = AWS["instancedetails"].with_columns(pl.col("Compute_Contract_Price") * 10)
    found = priced(
        [state(seconds=7200)],
        [definition(f"{TUESDAY} 01:00", **DS3, cluster_name="renamed")],
        figures={**AWS, "instancedetails": dearer},
        carried=carried,
        day=TUESDAY_WINDOW,
    ).only
    assert (found["cluster_name"], found["driver_node_type_id"]) == ("shared", "i3.xlarge")
    assert found["driver_compute_cost"] == pytest.approx(0.624)


def test_an_open_state_without_costs_is_asked_for_again_each_day() -> None:
    carried = carried_over()
    found = priced(
        [state(seconds=7200)],
        [definition(f"{TUESDAY} 01:00", **I3, **PHOTON)],
        carried=carried,
        day=TUESDAY_WINDOW,
    ).only
    assert (found["cost_reason"], found["sku"], found["photon_multiplier"]) == (
        None,
        "interactive",
        2.0,
    )
    assert found["total_cost"] == pytest.approx(2 * (3 * 0.312 + 3 * 2 * 0.55))


def test_an_open_state_whose_workers_are_not_known_is_asked_for_again() -> None:
    carried = carried_over(definition(driver_node_type_id="i3.xlarge"))
    found = priced(
        [state(seconds=7200)],
        [definition(f"{TUESDAY} 01:00", **I3)],
        carried=carried,
        day=TUESDAY_WINDOW,
    ).only
    assert (found["node_type_id"], found["cost_reason"]) == ("i3.xlarge", None)
    assert found["worker_compute_cost"] == pytest.approx(4 * 0.312)


def test_a_single_node_that_gets_workers_later_had_none() -> None:
    carried = carried_over(definition(driver_node_type_id="i3.xlarge", cluster_type="Single Node"))
    found = priced(
        [state(current_num_workers=0, target_num_workers=0)],
        [definition(f"{TUESDAY} 01:00", **I3)],
        carried=carried,
        day=TUESDAY_WINDOW,
    ).only
    assert (found["node_type_id"], found["worker_compute_cost"]) == (None, 0.0)


def test_an_imputed_state_that_began_before_the_day_is_like_the_clusters_open_one() -> None:
    carried = carried_over(definition(**I3))
    stopped = state(
        f"{MONDAY} 09:00",
        state="TERMINATING",
        cloud_billable=False,
        databricks_billable=False,
    )
    versions = [definition(f"{TUESDAY} 01:00", **DS3, cluster_name="renamed")]
    found = priced([state(), stopped], versions, carried=carried, day=TUESDAY_WINDOW)
    assert found.of("state", "cluster_name") == [("RUNNING", "shared"), ("TERMINATING", "shared")]


def test_a_state_whose_cluster_is_no_longer_known_is_like_the_one_before() -> None:
    carried = carried_over(definition(**I3))
    found = priced([state(), state(f"{TUESDAY} 08:00")], carried=carried, day=TUESDAY_WINDOW)
    assert found.of("cluster_name", "cost_reason") == [("shared", None), ("shared", None)]
    assert found.of("total_cost")[1][0] == pytest.approx(3 * 0.312 + 3 * 0.55)


def test_a_cluster_never_lends_another_what_it_is() -> None:
    other = {"cluster_id": "0506-2"}
    found = priced([{**state(), **other}], [definition(**I3)])
    assert found.of("cluster_name", "total_cost") == [(None, None)]


@st.composite
def drawn_states(draw: st.DrawFn) -> Row:
    hours = draw(st.integers(1, 48))
    return state(
        seconds=hours * 3600,
        state=draw(st.sampled_from(["RUNNING", "RESIZING", "STARTING"])),
        current_num_workers=draw(st.integers(0, 5)),
        target_num_workers=draw(st.integers(0, 5)),
        cloud_billable=True,
        databricks_billable=draw(st.booleans()),
    )


@given(drawn_states(), st.sampled_from([PHOTON, {}]), st.integers(2, 5))
def test_costs_are_sums_of_their_parts_and_scale_with_prices_and_time(
    row: Row, engine: Named, factor: int
) -> None:
    versions = [definition(**{**I3, **engine})]
    one = priced([row], versions).only
    assert amounts(one, "total_cost") == pytest.approx(
        amounts(one, "total_compute_cost") + amounts(one, "total_DBU_cost")
    )
    assert amounts(one, "total_cost") == pytest.approx(
        amounts(one, "total_driver_cost") + amounts(one, "total_worker_cost")
    )
    dearer = {
        **AWS,
        "instancedetails": AWS["instancedetails"].with_columns(
            pl.col("Compute_Contract_Price") * factor
        ),
        "dbucostdetails": AWS["dbucostdetails"].with_columns(pl.col("contract_price") * factor),
    }
    times = priced([row], versions, figures=dearer).only
    longer = priced([{**row, "unixTimeMS_state_end": last_ms_after(row, factor)}], versions).only
    for found in (times, longer):
        assert amounts(found, "total_cost") == pytest.approx(factor * amounts(one, "total_cost"))
    assert amounts(times, "total_dbus") == amounts(one, "total_dbus")


def last_ms_after(row: Row, factor: int) -> int:
    begin, end = (int(str(row[f"unixTimeMS_state_{each}"])) for each in ("start", "end"))
    return begin + (end + 1 - begin) * factor - 1


def amounts(row: Mapping[str, object], name: str) -> float:
    return float(str(row[name]))
