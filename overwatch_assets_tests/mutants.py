"""Changes a module's source in one place at a time, to see whether its tests notice.

A mutant is the module with one operator, number, function or step exchanged. It is put in place
of the original in every module that has taken something from it, the tests are called, and the
original is put back.
"""

import ast
import copy
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from types import ModuleType
from typing import cast

import polars as pl
import pytest

Test = Callable[[], None]

OPERATORS: dict[type[ast.AST], ast.AST] = {
    ast.Add: ast.Sub(),
    ast.Sub: ast.Add(),
    ast.Mult: ast.Add(),
    ast.BitAnd: ast.BitOr(),
    ast.BitOr: ast.BitAnd(),
    ast.Gt: ast.GtE(),
    ast.GtE: ast.Gt(),
    ast.Lt: ast.LtE(),
    ast.LtE: ast.Lt(),
    ast.Eq: ast.NotEq(),
}

FUNCTIONS = {
    "max_horizontal": "min_horizontal",
    "min_horizontal": "max_horizontal",
    "any_horizontal": "all_horizontal",
    "is_null": "is_not_null",
    "is_not_null": "is_null",
    "min": "max",
    "max": "min",
    "sum": "max",
    "mean": "max",
    "cum_sum": "cum_max",
    "cum_max": "cum_sum",
    "first": "last",
    "last": "first",
    "any": "all",
}

STEPS = ("filter", "over", "fill_null", "drop_nulls", "unique", "round")
"""Steps of a chain that a mutant leaves out."""

AS_SLOW_AS_EVER = ("maintain_order", "check_sortedness", "strict")
"""Arguments that change no row."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module with one change.

    Attributes:
        what: Line and change.
        source: The changed module.
    """

    what: str
    source: ast.Module


def mutants_of(module: ModuleType, *, without: Sequence[str] = ()) -> Iterator[Mutant]:
    """Every mutant of a module's functions, and of the numbers it names.

    Args:
        module: Its source is read.
        without: Names of functions and constants that are left as they are.
    """
    whole = ast.parse(inspect.getsource(module))
    for number, statement in enumerate(whole.body):
        if not isinstance(statement, ast.FunctionDef | ast.Assign) or _name(statement) in without:
            continue
        for place, (line, what) in enumerate(_changes(statement)):
            changed = copy.deepcopy(whole)
            _change(changed.body[number], place)
            yield Mutant(f"{module.__name__}:{line} {what}", ast.fix_missing_locations(changed))


def unnoticed(module: ModuleType, tests: Sequence[Test], mutants: Sequence[Mutant]) -> list[str]:
    """What mutants change that no test notices; without a change every test passes.

    The test that noticed the last one is called first: most changes of a function are noticed by
    the same tests.
    """
    order = list(tests)
    for test in order:
        test()
    missed: list[str] = []
    for mutant in mutants:
        changed = _loaded(mutant, module)
        if changed is None:
            continue
        noticing = _noticing(changed, module, order)
        if noticing is None:
            missed.append(mutant.what)
        else:
            order.remove(noticing)
            order.insert(0, noticing)
    return missed


def _loaded(mutant: Mutant, module: ModuleType) -> ModuleType | None:
    """The changed module; None if it can't be loaded, which is noticed at once."""
    changed = ModuleType(module.__name__)
    changed.__file__ = module.__file__
    try:
        exec(compile(mutant.source, module.__name__, "exec"), vars(changed))  # noqa: S102 - own
    except ValueError:
        return None
    return changed


def _noticing(changed: ModuleType, module: ModuleType, tests: Sequence[Test]) -> Test | None:
    """The first test that fails with the changed module in place of the original."""
    originals = dict(vars(module))
    taken = [
        (holder, name)
        for holder in list(sys.modules.values())
        if holder.__name__.startswith("overwatch_assets")
        for name, value in list(vars(holder).items())
        if name in originals and value is originals[name] and name in vars(changed)
        if not name.startswith("__")
    ]
    try:
        for holder, name in taken:
            setattr(holder, name, getattr(changed, name))
        return next((test for test in tests if not _passes(test)), None)
    finally:
        for holder, name in taken:
            setattr(holder, name, originals[name])


def _passes(test: Test) -> bool:
    try:
        test()
    except (Exception, pl.exceptions.PanicException):  # noqa: BLE001 - any error notices it
        return False
    return True


def plain_tests(module: ModuleType) -> list[Test]:
    """A test module's functions with each of their cases; no properties, and none with fixtures."""
    return [
        partial(function, **case)
        for name, function in vars(module).items()
        if name.startswith("test_") and not hasattr(function, "hypothesis")
        for case in _cases(function)
        if case.keys() == inspect.signature(function).parameters.keys()
    ]


def _cases(function: Callable[..., None]) -> Iterator[dict[str, object]]:
    """What a test is called with: one of each of its `parametrize`."""
    marks: list[pytest.Mark] = getattr(function, "pytestmark", [])
    tables = [_table(*mark.args) for mark in marks if mark.name == "parametrize"]
    for rows in product(*tables):
        yield {name: value for row in rows for name, value in row.items()}


def _table(names: str | Sequence[str], rows: Sequence[object]) -> list[dict[str, object]]:
    if isinstance(names, str):
        return [{names: row} for row in rows]
    return [dict(zip(names, cast("Sequence[object]", row), strict=True)) for row in rows]


def _name(statement: ast.FunctionDef | ast.Assign) -> str:
    if isinstance(statement, ast.FunctionDef):
        return statement.name
    return ast.unparse(statement.targets[0])


def _changes(statement: ast.stmt) -> list[tuple[int, str]]:
    """Line and description of every change there is to make, in order."""
    visitor = _Visitor(None)
    visitor.visit(copy.deepcopy(statement))
    return visitor.seen


def _change(statement: ast.stmt, place: int) -> None:
    _Visitor(place).visit(statement)


class _Visitor(ast.NodeTransformer):
    """Counts the places where something may be changed, and changes the one that is wanted."""

    def __init__(self, place: int | None) -> None:
        self.place = place
        self.seen: list[tuple[int, str]] = []

    def _is_wanted(self, node: ast.expr, what: str) -> bool:
        self.seen.append((node.lineno, what))
        return self.place == len(self.seen) - 1

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Neither decorators nor defaults, only what a function does."""
        node.body = [self.visit(each) for each in node.body]
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """A text that stands alone is a docstring."""
        return node if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        """An argument by name."""
        return node if node.arg in AS_SLOW_AS_EVER else self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """An operation gets another operator."""
        self.generic_visit(node)
        other = OPERATORS.get(type(node.op))
        if other is not None and self._is_wanted(node, f"not {type(node.op).__name__}"):
            node.op = other  # pyright: ignore[reportAttributeAccessIssue] - of the same kind
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """A comparison gets another operator."""
        self.generic_visit(node)
        other = OPERATORS.get(type(node.ops[0]))
        if other is not None and self._is_wanted(node, f"not {type(node.ops[0]).__name__}"):
            node.ops = [other]  # pyright: ignore[reportAttributeAccessIssue] - of the same kind
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        """A negation is left out."""
        self.generic_visit(node)
        return node.operand if self._is_wanted(node, "no negation") else node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """A number is one more, a truth its opposite."""
        if isinstance(node.value, bool):
            if self._is_wanted(node, f"not {node.value}"):
                node.value = not node.value
        elif isinstance(node.value, int | float) and self._is_wanted(node, f"not {node.value}"):
            node.value += 1
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """A function is another one, or a step is left out."""
        self.generic_visit(node)
        if not isinstance(node.func, ast.Attribute):
            return node
        name = node.func.attr
        if name in FUNCTIONS and self._is_wanted(node, f"not {name}"):
            node.func.attr = FUNCTIONS[name]
        elif name in STEPS and self._is_wanted(node, f"no {name}"):
            return node.func.value
        return node
