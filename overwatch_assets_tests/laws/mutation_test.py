"""A rule switched off must turn a law red: what proves that the laws can fail.

Each mutant changes one rule in a copy of the modules or of the machinery. It is caught when the
tables differ from the rules read event by event, when a law refuses the day, or when a reload
leaves something undone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import polars as pl
import pytest

from overwatch_assets.errors import LawBroken
from overwatch_assets.execution import load
from overwatch_assets.execution.records import ReadKind, ReadRecord, Record
from overwatch_assets.execution.versions import stale_reads
from overwatch_assets.expressions import spark_intervals as intervals
from overwatch_assets.expressions.spark_intervals import Key
from overwatch_assets.module import DECIDED_MS, History, Module, Window
from overwatch_assets.registry import in_load_order
from overwatch_assets.silver import spark_applications_silver as applications
from overwatch_assets_tests.laws.harness import World, WorldSource
from overwatch_assets_tests.laws.oracle_test import RUN_TIMES, differences
from overwatch_assets_tests.laws.spark_world import DAYS, SparkWorld

SEEDS = range(12)

Ranked = tuple[pl.LazyFrame, pl.LazyFrame]
Frames = dict[str, pl.LazyFrame]
Mutation = Callable[[Module], Module]


@dataclass(frozen=True)
class Mutant:
    """A rule switched off in some modules."""

    name: str
    tables: Sequence[str]
    mutate: Mutation

    def modules(self) -> list[Module]:
        return [
            self.mutate(module) if module.table.name in self.tables else module
            for module in in_load_order()
        ]


def before(change: Callable[[Frames], Frames]) -> Mutation:
    """A mutation of what a transform is given."""

    def mutate(module: Module) -> Module:
        def transform(*, window: Window, **frames: pl.LazyFrame) -> pl.LazyFrame:
            return module.transform(**change(frames), window=window)

        return replace(module, transform=transform)

    return mutate


def after(change: Callable[[pl.LazyFrame, Module], pl.LazyFrame]) -> Mutation:
    """A mutation of what a transform returns."""

    def mutate(module: Module) -> Module:
        def transform(*, window: Window, **frames: pl.LazyFrame) -> pl.LazyFrame:
            return change(module.transform(**frames, window=window), module)

        return replace(module, transform=transform)

    return mutate


def without_carried(frames: Frames) -> Frames:
    return {**frames, "carried": frames["carried"].clear()}


def decided_by_its_end(rows: pl.LazyFrame, module: Module) -> pl.LazyFrame:
    end = pl.col(RUN_TIMES[module.table.name]).struct.field("endEpochMS")
    return rows.with_columns(end.alias(DECIDED_MS))


def without_history(module: Module) -> Module:
    def nothing(spark_events_bronze: pl.LazyFrame) -> pl.LazyFrame:
        return spark_events_bronze.select("SparkContextID").clear()

    reads = {
        name: replace(read, wanted=nothing) if isinstance(read, History) else read
        for name, read in module.reads.items()
    }
    return replace(module, reads=reads)


def without_open_rows(rows: pl.LazyFrame, module: Module) -> pl.LazyFrame:
    del module
    return rows.filter(~pl.col("is_open"))


PAIRED = ("spark_jobs_silver", "spark_executions_silver", "spark_stages_silver")
ALL = (*PAIRED, "spark_tasks_silver")

MUTANTS = (
    Mutant("carried rows are forgotten", ALL, before(without_carried)),
    Mutant("contexts are forgotten", ("spark_applications_silver",), before(without_carried)),
    Mutant("closed keys are forgotten", ALL, without_history),
    Mutant("closed contexts are forgotten", ("spark_applications_silver",), without_history),
    Mutant("open rows are not written", ALL, after(without_open_rows)),
    Mutant("an imputed end decides the day", PAIRED, after(decided_by_its_end)),
    Mutant(
        "an application closes on the day of its end",
        ("spark_applications_silver",),
        after(decided_by_its_end),
    ),
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_rule_switched_off_is_noticed(mutant: Mutant) -> None:
    assert any(is_caught(seed, mutant.modules()) for seed in SEEDS)


def test_an_application_that_waits_for_no_stragglers_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(applications, "GRACE_MS", 1)
    assert any(is_caught(seed, in_load_order()) for seed in SEEDS)


def test_a_replaced_context_that_stays_open_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applications, "REASONS", ("application_end", "expired"))
    assert any(is_caught(seed, in_load_order()) for seed in SEEDS)


def test_the_latest_end_in_place_of_the_earliest_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def latest_first(rows: pl.LazyFrame, key: Key, order: Sequence[pl.Expr | str]) -> Ranked:
        backwards = [
            -pl.col("_end_ms") if isinstance(each, str) and each == "_end_ms" else each
            for each in order
        ]
        return ranked(rows, key, backwards)

    ranked = vars(intervals)["_ranked"]
    monkeypatch.setattr(intervals, "_ranked", latest_first)
    assert any(is_caught(seed, in_load_order()) for seed in SEEDS)


@pytest.mark.parametrize("kind", [ReadKind.DAY, ReadKind.CARRIED])
def test_a_reload_that_overlooks_what_a_day_read_is_noticed(
    monkeypatch: pytest.MonkeyPatch, kind: ReadKind
) -> None:
    def overlooking(record: Record, *known: object) -> Sequence[ReadRecord]:
        kept = replace(record, reads=tuple(r for r in record.reads if r.kind is not kind))
        return stale_reads(kept, *known)  # pyright: ignore[reportArgumentType] - as given

    monkeypatch.setattr(load.versions, "stale_reads", overlooking)
    assert any(is_left_undone(seed) for seed in SEEDS)


def test_rules_that_are_on_are_not_called_broken() -> None:
    assert not any(is_caught(seed, in_load_order()) for seed in SEEDS[:3])
    assert not any(is_left_undone(seed) for seed in SEEDS[:3])


def is_caught(seed: int, modules: Sequence[Module]) -> bool:
    """Whether a law refuses a day, or the tables differ from the rules."""
    try:
        return bool(differences(seed, modules))
    except LawBroken:
        return True


def is_left_undone(seed: int) -> bool:
    """Whether late events leave another table than a complete load."""
    rows = SparkWorld(seed).frame()
    is_late = pl.int_range(pl.len()).hash(seed=seed) % 4 == 0
    complete = World({"spark_event_logs": WorldSource(rows, "eventTimeMS")})
    mended = World({"spark_event_logs": WorldSource(rows.filter(~is_late), "eventTimeMS")})
    complete.load(*DAYS)
    mended.load(*DAYS)
    mended.sources = complete.sources
    mended.load_bronze(*DAYS)
    mended.load(*DAYS, redo=True)
    return any(not complete.rows(each).equals(mended.rows(each)) for each in in_load_order())
