from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overwatch_assets.presentation.notebookusercostdaily import VIEW
from overwatch_assets_tests.frames import Row, table
from overwatch_assets_tests.gold.cost_frames import DAY_S, at

MONDAY, TUESDAY = date(2024, 5, 6), date(2024, 5, 7)
BERLIN = "Europe/Berlin"
"""Two hours before UTC on that Monday."""


def command(
    number: int, since: float, until: float, user: str | None = "ann", **more: object
) -> Row:
    """A command on the cluster `c` whose cost is known."""
    return {
        "organization_id": "1",
        "notebook_id": "7",
        "notebook_name": "x",
        "command_id": f"c-{number:03}",
        "user_identity": {"email": user, "subjectName": None},
        "cluster_id": "c",
        "unixTimeMS": at(until),
        "execution_time_s": until - since,
        "estimated_dbu_cost": 0.0,
        **more,
    }


def state(since: float, until: float, usd: float | None, **more: object) -> Row:
    """A closed state of the cluster `c`."""
    return {
        "organization_id": "1",
        "cluster_id": "c",
        "unixTimeMS_state_start": at(since),
        "unixTimeMS_state_end": at(until) - 1,
        "is_open": False,
        "total_DBU_cost": usd,
        **more,
    }


def shown(commands: list[Row], states: list[Row], zone: str = "UTC") -> pl.DataFrame:
    made = {
        "notebookcommands_gold": table("notebookcommands_gold", *commands),
        "clusterstatefact_gold": table("clusterstatefact_gold", *states),
    }
    rows = VIEW.made_of(made, zone).collect()
    assert dict(rows.schema) == {column.name: column.dtype for column in VIEW.columns}
    return rows.sort("organization_id", "date", "notebook_id", "user_email")


def test_commands_of_a_user_in_a_notebook_on_a_day_are_one_row() -> None:
    commands = [
        command(1, 0, 100),
        command(2, 100, 150, notebook_name="y"),
        command(3, 200, 300, "bob"),
        command(4, 300, 400, notebook_id="8"),
    ]
    rows = shown(commands, [state(0, 1000, 10.0)])
    assert rows.select(
        "notebook_id", "notebook_name", "user_email", "commands", "execution_time_S",
        "estimated_dbu_cost", "shared_dbu_cost",
    ).rows() == [
        ("7", "y", "ann", 2, 150.0, 1.5, 1.5),
        ("7", "x", "bob", 1, 100.0, 1.0, 1.0),
        ("8", "x", "ann", 1, 100.0, 1.0, 1.0),
    ]  # fmt: skip


def test_commands_that_run_at_once_share_the_moment_or_each_have_all() -> None:
    commands = [command(1, 0, 100), command(2, 50, 150, "bob"), command(3, 0, 500, "cleo")]
    rows = shown(commands, [state(0, 1000, 10.0), state(1000, 2000, 99.0)])
    assert rows.select("user_email", "estimated_dbu_cost").rows() == [
        ("ann", 1.0), ("bob", 1.0), ("cleo", 5.0),
    ]  # fmt: skip
    both, three = 0.5 / 2, 0.5 / 3
    assert rows["shared_dbu_cost"].to_list() == pytest.approx(
        [both + three, both + three, 2 * both + three + 3.5]
    )
    assert rows["shared_dbu_cost"].sum() == pytest.approx(5.0)


def test_clusters_of_workspaces_are_kept_apart_though_they_have_one_id() -> None:
    other = {"organization_id": "2"}
    commands = [command(1, 0, 100), command(1, 0, 100, **other)]
    rows = shown(commands, [state(0, 1000, 10.0), state(0, 1000, 20.0, **other)])
    assert rows["shared_dbu_cost"].to_list() == [1.0, 2.0]


def test_a_command_over_midnight_costs_on_both_days_of_the_configured_zone() -> None:
    commands = [command(1, 21 * 3600, 23 * 3600)]
    states = [state(0, DAY_S, 24.0)]
    columns = ("date", "commands", "execution_time_S", "estimated_dbu_cost", "shared_dbu_cost")
    assert shown(commands, states).select(columns).rows() == [(MONDAY, 1, 7200.0, 2.0, 2.0)]
    assert shown(commands, states, BERLIN).select(columns).rows() == [
        (MONDAY, 1, 3600.0, 1.0, 1.0),
        (TUESDAY, 1, 3600.0, 1.0, 1.0),
    ]


def test_what_is_not_known_is_counted_and_says_why() -> None:
    unknown: Row = {"estimated_dbu_cost": None}
    commands = [
        command(1, 0, 100),
        command(2, 0, 100, cluster_id=None, cost_reason="no_cluster", **unknown),
        command(3, 0, 1, execution_time_s=None, cost_reason="execution_time_unknown", **unknown),
        command(4, 0, 100, "bob", cluster_id="d", cost_reason="no_cluster_states", **unknown),
        command(5, 1000, 1100, "cleo", cost_reason="dbu_price_unknown", **unknown),
    ]
    rows = shown(commands, [state(0, 1000, 10.0), state(1000, 2000, None)])
    assert rows.select(
        "commands", "unknown_commands", "estimated_dbu_cost", "cost_reason"
    ).rows() == [
        (3, 2, 1.0, "execution_time_unknown, no_cluster"),
        (1, 1, None, "no_cluster_states"),
        (1, 1, None, "dbu_price_unknown"),
    ]
    assert rows["execution_time_S"].to_list() == [200.0, 100.0, 100.0]


def test_a_day_without_a_known_state_costs_nothing_where_the_rest_is_known() -> None:
    rows = shown([command(1, DAY_S - 100, DAY_S + 100)], [state(0, DAY_S, 864.0)])
    assert rows.select("date", "estimated_dbu_cost", "cost_reason").rows() == [
        (MONDAY, 1.0, None),
        (TUESDAY, 0.0, None),
    ]


def test_a_command_that_took_no_time_is_counted_and_costs_nothing() -> None:
    rows = shown([command(1, 100, 100)], [state(0, 1000, 10.0)])
    assert rows.select("commands", "execution_time_S", *("estimated_dbu_cost", "shared_dbu_cost"),
                       "unknown_commands").rows() == [(1, 0.0, 0.0, 0.0, 0)]  # fmt: skip


def test_no_rows_give_the_declared_columns() -> None:
    assert shown([], []).is_empty()


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.integers(0, 90), st.integers(0, 40), st.sampled_from(["ann", "bob"])),
        min_size=1,
        max_size=8,
    )
)
def test_what_commands_share_is_the_cost_of_the_time_with_any(
    spans: list[tuple[int, int, str]],
) -> None:
    commands = [
        command(number, begin, begin + length, user)
        for number, (begin, length, user) in enumerate(spans)
    ]
    states = [state(n * 10, n * 10 + 10, float(n)) for n in range(14)]
    rows = shown(commands, states)
    busy = {second for begin, length, _ in spans for second in range(begin, begin + length)}
    whole = sum(second // 10 / 10 for second in busy)
    each = sum(
        second // 10 / 10 for begin, length, _ in spans for second in range(begin, begin + length)
    )
    assert rows["shared_dbu_cost"].sum() == pytest.approx(whole)
    assert rows["estimated_dbu_cost"].sum() == pytest.approx(each)
