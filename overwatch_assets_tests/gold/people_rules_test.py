"""Faults planted in what people did: each turns a rule red, what is right does not."""

from collections.abc import Mapping
from datetime import date

import polars as pl
import pytest

from overwatch_assets.execution.rules import RuleBroken
from overwatch_assets.gold.account_login_gold import account_login_gold
from overwatch_assets.gold.account_mods_gold import account_mods_gold
from overwatch_assets.gold.instancepool_gold import instancepool_gold
from overwatch_assets.gold.notebook_gold import notebook_gold
from overwatch_assets.gold.notebookcommands_gold import notebookcommands_gold
from overwatch_assets.module import Module
from overwatch_assets_tests.frames import Row, table
from overwatch_assets_tests.gold.cost_frames import day
from overwatch_assets_tests.gold.notebookcommands_gold_test import command, state
from overwatch_assets_tests.laws.cluster_world import audit_rows
from overwatch_assets_tests.ruled import checks_of

DAY = date(2024, 5, 6)
STATES = (state(0, 1800), state(1800, 3600, None))
COMMANDS = (
    command(600),
    command(660, number=2, request="told"),
    command(660, number=2, request="told again"),
    command(700, number=3, cluster=None),
    command(700, number=None),
    command(700, notebook=None),
)


@pytest.mark.parametrize(
    ("gold", "silver", "rows"),
    [
        (notebook_gold, "notebook_silver", [{"notebookId": "7"}, {"notebookId": None}]),
        (account_login_gold, "account_login_silver", [{"login_type": "ssh"}] * 2),
        (account_mods_gold, "account_mods_silver", [{"user_name": "a"}, {"user_name": None}]),
        (instancepool_gold, "pools_silver", [{"instance_pool_id": "p"}] * 2),
    ],
    ids=lambda each: each.table.name if isinstance(each, Module) else "",
)
def test_a_row_that_gets_lost_or_doubled_is_noticed(
    gold: Module, silver: str, rows: list[Row]
) -> None:
    inputs = {silver: table(silver, *({**row, "partition_date": DAY} for row in rows))}
    made = gold.transform(inputs[silver], window=day()).collect()
    assert [each.holds for each in checks_of(gold, made, inputs, day()).values()] == [True]
    for fault in (made.head(1), pl.concat([made, made.tail(1)])):
        with pytest.raises(RuleBroken, match="rows_are_kept"):
            checks_of(gold, fault, inputs, day())


def of_commands() -> tuple[pl.DataFrame, Mapping[str, pl.LazyFrame]]:
    inputs = {
        "audit_log_bronze": audit_rows([dict(each) for each in COMMANDS]).lazy(),
        "clusterstatefact_gold": table("clusterstatefact_gold", *STATES),
        "notebook_silver": table("notebook_silver"),
    }
    return notebookcommands_gold(*inputs.values(), window=day()).collect(), inputs


def test_every_command_has_a_row_or_is_counted() -> None:
    rows, inputs = of_commands()
    checks = checks_of(notebookcommands_gold, rows, inputs, day())
    assert checks["rows_are_kept"].figures == {"rows_here": 6, "rows_there": 6}
    with pytest.raises(RuleBroken, match="rows_are_kept"):
        checks_of(notebookcommands_gold, rows.slice(1), inputs, day())


def test_a_cost_without_a_reason_or_below_zero_is_noticed() -> None:
    rows, inputs = of_commands()
    nameless = rows.with_columns(cost_reason=pl.lit(None, pl.String))
    negative = rows.with_columns(pl.col("estimated_dbu_cost") * -1)
    for fault in (nameless, negative):
        with pytest.raises(RuleBroken, match="unknown_is_null"):
            checks_of(notebookcommands_gold, fault, inputs, day())


def test_a_command_that_costs_more_than_its_cluster_is_noticed() -> None:
    rows, inputs = of_commands()
    known = {**inputs, "clusterstatefact_gold": table("clusterstatefact_gold", STATES[0])}
    dearer = rows.with_columns(pl.col("estimated_dbu_cost") * 31)
    with pytest.raises(RuleBroken, match="commands_cost_no_more_than_clusters"):
        checks_of(notebookcommands_gold, dearer, known, day())
    as_dear = rows.with_columns(pl.col("estimated_dbu_cost") * 30)
    assert checks_of(notebookcommands_gold, as_dear, known, day())
