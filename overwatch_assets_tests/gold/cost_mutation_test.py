"""The rules of costs, each changed in turn: their tests must notice."""

from types import ModuleType

import pytest

from overwatch_assets.expressions import (
    cost_days,
    cost_shares,
    cost_sums,
    query_costs,
    run_spans,
    spark_owners,
    state_costs,
)
from overwatch_assets.gold import clusterstatefact_gold as cluster_fact
from overwatch_assets.gold import jobruncostpotentialfact_gold as run_fact
from overwatch_assets.gold import warehousestatefact_gold as warehouse_fact
from overwatch_assets_tests.expressions import cost_shares_test, cost_sums_test, spark_owners_test
from overwatch_assets_tests.gold import clusterstatefact_gold_test as cluster_fact_test
from overwatch_assets_tests.gold import jobruncostpotentialfact_gold_test as run_fact_test
from overwatch_assets_tests.gold import warehousestatefact_gold_test as warehouse_fact_test
from overwatch_assets_tests.mutants import mutants_of, plain_tests, unnoticed
from overwatch_assets_tests.presentation import cost_views_test, query_cost_views_test

NOTICED = 0.95

DECLARED = (
    "COLUMNS",
    "DAILY_COSTS",
    "COST_COLUMNS",
    "jobruncostpotentialfact_gold",
    "clusterstatefact_gold",
    "warehousestatefact_gold",
)
"""What declares columns, or only puts together what is changed elsewhere."""


@pytest.mark.parametrize(
    ("module", "tests"),
    [
        (cost_shares, cost_shares_test),
        (cost_sums, cost_sums_test),
        (cost_days, cost_views_test),
        (spark_owners, spark_owners_test),
        (state_costs, warehouse_fact_test),
        (cluster_fact, cluster_fact_test),
        (warehouse_fact, warehouse_fact_test),
        (query_costs, query_cost_views_test),
        (run_spans, run_fact_test),
        (run_fact, run_fact_test),
    ],
    ids=lambda each: each.__name__.rpartition(".")[2],
)
def test_changed_rules_are_noticed(module: ModuleType, tests: ModuleType) -> None:
    mutants = list(mutants_of(module, without=DECLARED))
    missed = unnoticed(module, plain_tests(tests), mutants)
    assert len(missed) <= (1 - NOTICED) * len(mutants), missed
    assert len(mutants) > 1
