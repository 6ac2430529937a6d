"""The rules of costs, each changed in turn: their tests must notice."""

from types import ModuleType

import pytest

from overwatch_assets.expressions import cost_days, cost_shares, cost_sums, spark_owners
from overwatch_assets.gold import jobruncostpotentialfact_gold as fact
from overwatch_assets_tests.expressions import cost_shares_test, cost_sums_test, spark_owners_test
from overwatch_assets_tests.gold import jobruncostpotentialfact_gold_test as fact_test
from overwatch_assets_tests.mutants import mutants_of, plain_tests, unnoticed
from overwatch_assets_tests.presentation import cost_views_test

NOTICED = 0.95

DECLARED = ("COLUMNS", "DAILY_COSTS", "COST_COLUMNS", "RULES", "jobruncostpotentialfact_gold")
"""What declares columns, or only puts together what is changed elsewhere."""


@pytest.mark.parametrize(
    ("module", "tests"),
    [
        (cost_shares, cost_shares_test),
        (cost_sums, cost_sums_test),
        (cost_days, cost_views_test),
        (spark_owners, spark_owners_test),
        (fact, fact_test),
    ],
    ids=lambda each: each.__name__.rpartition(".")[2],
)
def test_changed_rules_are_noticed(module: ModuleType, tests: ModuleType) -> None:
    mutants = list(mutants_of(module, without=DECLARED))
    missed = unnoticed(module, plain_tests(tests), mutants)
    assert len(missed) <= (1 - NOTICED) * len(mutants), missed
    assert len(mutants) > 10
