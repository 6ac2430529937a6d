from collections.abc import Sequence
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overwatch_assets.gold.notebookcommands_gold import LONGEST_S, notebookcommands_gold
from overwatch_assets.module import LEFT_OUT, Overlap
from overwatch_assets_tests.frames import Row, table, utc
from overwatch_assets_tests.gold.cost_frames import DAY_S, at, day
from overwatch_assets_tests.laws.cluster_world import audit_event, audit_rows

A = 1.2375
"""DBUs of the worked example's state, USD for half an hour."""


def command(
    end: float,
    seconds: float | str | None = 60,
    *,
    number: int | None = 1,
    notebook: str | None = "7",
    cluster: str | None = "c",
    request: str | None = None,
    status: int = 200,
) -> Row:
    """A command that ends at a second of the Monday."""
    params = {
        "notebookId": notebook,
        "commandId": None if number is None else f"c-{number}",
        "commandText": "display(1)",
        "executionTime": seconds,
        "status": "finished",
        "clusterId": cluster,
    }
    return audit_event(at(end), "notebook.runCommand", params, request=request, status=status)


def state(since: float, until: float, usd: float | None = A, **more: object) -> Row:
    """A state of the cluster `c`; its end is stored a millisecond early, unless it is open."""
    is_open = bool(more.get("is_open"))
    return {
        "cluster_id": "c",
        "cluster_name": "shared",
        "unixTimeMS_state_start": at(since),
        "unixTimeMS_state_end": at(until) - (not is_open),
        "is_open": is_open,
        "current_num_workers": 2,
        "node_type_id": "Standard_DS3_v2",
        "custom_tags": '{"team":"bi"}',
        "total_DBU_cost": usd,
        **more,
    }


def called(second: float, name: str | None, path: str | None = None, notebook: str = "7") -> Row:
    """What a notebook is called after an event."""
    return {
        "notebookId": notebook,
        "timestamp": at(second),
        "seq": 0,
        "effective_name": name,
        "effective_path": path,
    }


def made(
    *events: Row, states: Sequence[Row] = (), notebooks: Sequence[Row] = (), number: int = 0
) -> pl.DataFrame:
    return notebookcommands_gold(
        audit_rows([dict(each) for each in events]).lazy(),
        table("clusterstatefact_gold", *states),
        table("notebook_silver", *notebooks),
        window=day(number),
    ).collect()


def commands(*events: Row, **more: Sequence[Row]) -> pl.DataFrame:
    """The rows that are stored, in order of their ids."""
    rows = made(*events, **more)  # pyright: ignore[reportArgumentType] - states, notebooks
    return rows.filter(pl.col(LEFT_OUT).is_null()).drop(LEFT_OUT).sort("command_id")


def costs(*events: Row, states: Sequence[Row]) -> list[tuple[float | None, str | None]]:
    rows = commands(*events, states=states)
    return rows.select("estimated_dbu_cost", "cost_reason").rows()


def test_a_command_of_a_minute_costs_a_minute_of_its_clusters_dbus() -> None:
    [row] = commands(command(600), states=[state(0, 1800)]).to_dicts()
    assert row["estimated_dbu_cost"] == 0.04125
    assert (row["cluster_name"], row["node_type_id"], row["node_count"], row["custom_tags"]) == (
        "shared", "Standard_DS3_v2", 2, '{"team":"bi"}',
    )  # fmt: skip
    assert (row["cost_reason"], row["uncovered_S"]) == (None, 0.0)


def test_a_command_ran_before_it_was_told_of() -> None:
    dear, dearest = state(0, 1800), state(1800, 3600, 100.0)
    assert costs(command(1800), states=[dear, dearest]) == [(0.04125, None)]
    over_midnight = command(DAY_S + 30, 60)
    assert costs(
        over_midnight, states=[state(DAY_S - 1800, DAY_S), state(DAY_S, DAY_S + 60, 0.0)]
    ) == [(0.020625, None)]


def test_only_the_time_that_lies_in_a_state_counts_at_its_own_rate() -> None:
    states = [
        state(0, 1000, 500.0),
        state(1000, 1100, 1.0),
        state(1100, 1200, 3.0),
        state(1200, 9000, 500.0, is_open=True),
    ]
    assert costs(command(1150, 100), states=states) == [(2.0, None)]
    assert costs(command(1200, 200), states=states) == [(4.0, None)]


def test_earlier_and_later_states_of_the_cluster_change_nothing() -> None:
    around = [state(-DAY_S, 0, 999.0), state(0, 1800), state(1800, DAY_S, 999.0)]
    idle = [state(-9 * DAY_S, -DAY_S, 0.0), *around]
    assert costs(command(600), states=idle) == costs(command(600), states=[state(0, 1800)])


def test_every_command_of_a_notebook_is_a_row_also_within_one_state() -> None:
    rows = commands(command(600), command(660, number=2), command(600, number=3, notebook="8"),
                    states=[state(0, 1800)])  # fmt: skip
    assert rows.select("notebook_id", "command_id", "unixTimeMS").rows() == [
        ("7", "c-1", at(600)),
        ("7", "c-2", at(660)),
        ("8", "c-3", at(600)),
    ]
    assert rows["estimated_dbu_cost"].to_list() == [0.04125] * 3


def test_commands_that_run_at_once_each_have_the_whole_cluster() -> None:
    both = command(600), command(600, number=2)
    assert costs(*both, states=[state(0, 1800)]) == [(0.04125, None)] * 2


def test_borders_of_states_are_in_one_state_only() -> None:
    halves = [state(0, 600, 0.6), state(600, 1200, 1.2)]
    assert costs(command(600, 60), states=halves) == [(0.06, None)]
    assert costs(command(660, 60), states=halves) == [(0.12, None)]


def test_a_command_shows_the_state_in_which_it_ran_longest() -> None:
    states = [
        state(0, 100, current_num_workers=1),
        state(100, 200, current_num_workers=2),
        state(200, 300, current_num_workers=3, node_type_id=None, workerSpecs={"API_Name": "m5"}),
    ]
    rows = commands(command(210, 150), command(250, 100, number=2), states=states)
    assert rows.select("node_count", "node_type_id").rows() == [(2, "Standard_DS3_v2"), (3, "m5")]


def test_a_command_that_took_no_time_costs_nothing_and_shows_its_state() -> None:
    states = [state(0, 100, current_num_workers=1), state(100, 200, None, current_num_workers=2)]
    rows = commands(command(100, 0), command(100, "0.0", number=2), states=states)
    assert (
        rows.select("estimated_dbu_cost", "node_count", "cost_reason").rows()
        == [(0.0, 2, None)] * 2
    )


def test_a_cost_that_is_not_known_is_null_and_says_why() -> None:
    unknown = state(0, 1800, None, cost_reason="dbu_price_unknown, sku_unknown")
    states = [unknown, state(1800, 3600), state(3600, 3700, None)]
    found = costs(
        command(600),
        command(1830, number=2),
        command(3700, number=3),
        command(600, number=4, cluster=None),
        command(600, number=5, cluster="other"),
        command(600, None, number=6),
        command(4000, number=7),
        states=states,
    )
    assert found == [
        (None, "dbu_price_unknown, sku_unknown"),
        (None, "dbu_price_unknown, sku_unknown"),
        (None, "unknown_cost"),
        (None, "no_cluster"),
        (None, "no_cluster_states"),
        (None, "execution_time_unknown"),
        (None, "no_cluster_states"),
    ]


def test_time_without_a_known_state_costs_nothing_and_is_told() -> None:
    states = [state(0, 100, 1.0), state(200, 300, 1.0)]
    rows = commands(
        command(250, 250),
        command(250, 50, number=2),
        command(500, 100, number=3),
        command(250, number=4, cluster=None),
        states=states,
    )
    assert rows.select("estimated_dbu_cost", "uncovered_S").rows() == [
        (1.5, 100.0),
        (0.5, 0.0),
        (None, 100.0),
        (None, None),
    ]


@pytest.mark.parametrize(
    "told", ["soon", "-1", "NaN", "inf", "1e300", str(LONGEST_S + 1), "13,7", None]
)
def test_a_duration_that_is_not_credible_is_none(told: str | None) -> None:
    event = command(600, told)
    [row] = commands(event, states=[state(0, 1800)]).to_dicts()
    assert (row["execution_time_s"], row["cost_reason"]) == (None, "execution_time_unknown")
    read = notebookcommands_gold.reads["clusterstatefact_gold"]
    assert isinstance(read, Overlap)
    since = read.since(audit_rows([dict(event)]).lazy()).collect()
    assert since.to_series().to_list() == [None]


def test_states_are_read_from_the_earliest_start_on() -> None:
    read = notebookcommands_gold.reads["clusterstatefact_gold"]
    assert isinstance(read, Overlap)
    events = [command(600, 60), command(700, "500.5", number=2)]
    since = read.since(audit_rows([dict(each) for each in events]).lazy()).collect()
    assert sorted(since.to_series()) == [at(199.5), at(540)]


def test_names_are_those_before_the_command_else_the_next_of_the_day() -> None:
    notebooks = [
        called(100, "x", "/x"),
        called(500, "y", "/s/x"),
        called(600, "z", "/z"),
        called(650, "u", "/u", "8"),
        called(700, None, "/later", "9"),
        called(800, "v", None, "9"),
    ]
    rows = commands(
        command(600),
        command(601, number=2),
        command(600, number=3, notebook="8"),
        command(600, number=4, notebook="9"),
        command(600, number=5, notebook="10"),
        notebooks=notebooks,
    )
    assert rows.select("notebook_name", "notebook_path").rows() == [
        ("y", "/s/x"),
        ("z", "/z"),
        ("u", "/u"),
        ("v", "/later"),
        (None, None),
    ]


def test_a_command_is_told_as_the_event_tells_it() -> None:
    event = {
        **command(600, "13.789", status=500), "sourceIPAddress": "10.0.0.1", "userAgent": "web",
    }  # fmt: skip
    [row] = commands(event).to_dicts()
    told = {
        "date": date(2024, 5, 6),
        "timestamp": utc("2024-05-06 00:10:00"),
        "command_text": "display(1)",
        "execution_time_s": 13.789,
        "source_ip_address": "10.0.0.1",
        "user_identity": {"email": "maria@acme.example", "subjectName": None},
        "status": "finished",
        "cluster_id": "c",
        "response": {"errorMessage": None, "result": None, "statusCode": 500},
        "user_agent": "web",
        "unixTimeMS": at(600),
    }
    assert {name: row[name] for name in told} == told


def test_a_command_that_is_told_twice_is_one_row_the_one_that_tells_more() -> None:
    poor, rich = command(600, None, request="a"), command(600, request="b")
    for order in ((poor, rich), (rich, poor)):
        rows = made(*order, states=[state(0, 1800)])
        stored = rows.filter(pl.col(LEFT_OUT).is_null())
        assert stored["estimated_dbu_cost"].to_list() == [0.04125]
        assert rows[LEFT_OUT].drop_nulls().to_list() == ["told_again"]


def test_what_names_no_notebook_or_no_command_is_counted_and_left_out() -> None:
    events = command(600, notebook=None), command(600, number=None), command(600, number=None)
    rows = made(*events, states=[state(0, 1800)])
    assert sorted(rows[LEFT_OUT]) == ["no_command_id", "no_command_id", "no_notebook_id"]


def test_other_actions_are_no_commands() -> None:
    submitted = audit_event(at(600), "notebook.submitCommand", {"notebookId": "7"})
    elsewhere = audit_event(at(600), "jobs.runCommand", {"notebookId": "7", "commandId": "c-1"})
    assert made(submitted, elsewhere, states=[state(0, 1800)]).is_empty()


def test_no_events_give_no_rows_of_the_declared_types() -> None:
    rows = commands()
    declared = {column.name: column.dtype for column in notebookcommands_gold.table.columns}
    assert rows.schema == pl.Schema(declared)


@settings(max_examples=10)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 40)), min_size=1, max_size=6))
def test_a_command_costs_what_its_seconds_cost_one_by_one(spans: list[tuple[int, int]]) -> None:
    states = [state(n * 10, n * 10 + 10, float(n + 1)) for n in range(9)]
    whole = [
        command(begin + length, length, number=100 * number)
        for number, (begin, length) in enumerate(spans)
    ]
    parts = [
        command(begin + second + 1, 1, number=100 * number + 1 + second)
        for number, (begin, length) in enumerate(spans)
        for second in range(length)
    ]
    rows = commands(*whole, *parts, states=states)
    number = pl.col("command_id").str.strip_prefix("c-").cast(pl.Int64)
    sums = (
        rows.with_columns(is_part=number % 100 > 0, number=number // 100)
        .group_by("number", "is_part")
        .agg(pl.col("estimated_dbu_cost").sum())
    )
    found = {(each, is_part): usd for each, is_part, usd in sums.iter_rows()}
    for each in range(len(spans)):
        assert found[each, False] == pytest.approx(found.get((each, True), 0.0))
