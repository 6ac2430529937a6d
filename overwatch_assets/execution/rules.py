"""Whether a day's rows keep the rules that their module declares.

Evaluated on the rows before the commit, like the laws that every table has. A day that breaks a
rule is never seen, what was stored stays, and the step is red; a rule that only warns is told of.
Either way the results are shown per partition as asset checks.
"""

from collections.abc import Mapping, Sequence

import polars as pl
from polars.selectors import numeric

from overwatch_assets.errors import LawBroken
from overwatch_assets.execution.inputs import Frames, called
from overwatch_assets.execution.records import Check
from overwatch_assets.execution.windows import Cell
from overwatch_assets.module import HOLDS, Module, Rule, Window

SHOWN, KEPT = 3, 20
"""How many examples an error names, and how many a check keeps."""


class RuleBroken(LawBroken):
    """A day's rows break a rule of their module; nothing was written.

    Attributes:
        cell: The day.
        checks: All rules of the module, broken or not.
    """

    def __init__(self, message: str, cell: Cell, checks: Sequence[Check]) -> None:
        """Say what is broken, and what else was found."""
        super().__init__(message)
        self.cell = cell
        self.checks = tuple(checks)


def require_kept(
    module: Module, cell: Cell, given: Mapping[str, Frames], window: Window
) -> tuple[Check, ...]:
    """What came of a module's rules on a day.

    Args:
        module: Declaration with the rules.
        cell: What messages name.
        given: What each rule may take, by its name.
        window: The day.

    Raises:
        RuleBroken: Names every rule broken, examples, figures of both sides and the remedy.
    """
    compared = [called(rule.compared, given[rule.name], window) for rule in module.rules]
    found = pl.collect_all(compared, engine="in-memory")
    checks = [_check(rule, each) for rule, each in zip(module.rules, found, strict=True)]
    broken = [
        (rule, check)
        for rule, check in zip(module.rules, checks, strict=True)
        if not check.holds and not check.is_warning
    ]
    if broken:
        told = "; ".join(_told(rule, check) for rule, check in broken)
        remedies = " ".join(dict.fromkeys(rule.remedy for rule, _ in broken))
        message = f"{cell}: {told}. Nothing was written, the day keeps the rows it had. {remedies}"
        raise RuleBroken(message, cell, checks)
    return tuple(checks)


def nothing_compared(module: Module) -> tuple[Check, ...]:
    """What comes of the rules of a day without anything to compare: they hold."""
    return tuple(Check(rule.name, is_warning=rule.is_warning) for rule in module.rules)


def _check(rule: Rule, compared: pl.DataFrame) -> Check:
    figures = compared.select(numeric().exclude(*rule.by)).sum()
    holds = pl.col(HOLDS).fill_null(value=False)
    broken = compared.filter(~holds).drop(HOLDS)
    shown = broken.sort(rule.by, nulls_last=True).head(KEPT)
    return Check(
        rule=rule.name,
        compared=compared.height,
        broken=broken.height,
        is_warning=rule.is_warning,
        figures=figures.row(0, named=True),
        examples=tuple(_example(rule, row) for row in shown.iter_rows(named=True)),
    )


def _example(rule: Rule, row: Mapping[str, object]) -> str:
    """`cluster_id c, date 2024-05-06: runs_bear 2.0, cluster_cost 1.5`."""
    named = ", ".join(f"{name} {_text(row[name])}" for name in rule.by)
    figures = ", ".join(f"{k} {_text(each)}" for k, each in row.items() if k not in rule.by)
    return f"{named}: {figures}" if named and figures else named or figures


def _text(value: object) -> str:
    if value is None:
        return "null"
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _told(rule: Rule, check: Check) -> str:
    examples = "; ".join(check.examples[:SHOWN])
    return (
        f"rule {rule.name} is broken in {check.broken} of {check.compared} ({rule.doc}), "
        f"for example {examples}"
    )
