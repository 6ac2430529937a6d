"""Runs of jobs are what a plain reading of the rules gives, and a rule switched off is noticed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cache
from itertools import groupby
from typing import Any

import polars as pl
import pytest

from overwatch_assets.errors import LawBroken
from overwatch_assets.module import History, Module
from overwatch_assets.registry import in_load_order
from overwatch_assets.silver import jobrun_silver as table_file
from overwatch_assets.silver.jobrun_silver import jobrun_silver
from overwatch_assets_tests.laws.harness import World, midnight_after
from overwatch_assets_tests.laws.job_world import job_sources
from overwatch_assets_tests.laws.mutation_test import before
from overwatch_assets_tests.laws.spark_world import DAYS, HOUR

Event = Mapping[str, Any]
Closed = tuple[object, ...]

SEEDS = range(8)
NEEDED = {
    "audit_log_bronze",
    "jobs_snapshot_bronze",
    "clusters_snapshot_bronze",
    "pools_snapshot_bronze",
    "pools_silver",
    "cluster_spec_silver",
    "job_status_silver",
    "jobrun_silver",
}
ENDS = ("runSucceeded", "runFailed")


@dataclass
class Run:
    """A run as it is read event by event."""

    run_id: int
    family: int
    start: int | None
    known_on: date
    job_end: Event | None = None
    own_end: Event | None = None
    cancels: list[int] = field(default_factory=list[int])


class Reading:
    """Reads a world's events day by day."""

    def __init__(self, seed: int) -> None:
        rows = job_sources(seed)["audit_logs"].rows.unique()
        order = ["timestamp", "requestId", "hashKey"]
        told = rows.sort(order, nulls_last=False).to_dicts()
        self.events = [{**each, **read(each)} for each in told]
        self.open: dict[int, Run] = {}
        self.over: set[int] = set()
        self.with_tasks: set[int] = set()
        self.uncertain: set[int] = set()

    def closed(self) -> dict[int, Closed]:
        """Start, end, state, whether it is imputed and day of each run that ended."""
        found: dict[int, Closed] = {}
        for day, events in groupby(self.events, key=day_of):
            of_day = list(events)
            self._begin(day, of_day)
            self._hear(of_day)
            until = round(midnight_after(day).timestamp() * 1000)
            for run in list(self.open.values()):
                if (row := ending(run, until)) is not None:
                    found[run.run_id] = row
                    self.over.add(run.run_id)
                    del self.open[run.run_id]
        for day in DAYS:
            until = round(midnight_after(day).timestamp() * 1000)
            late = {r.run_id: row for r in self.open.values() if (row := ending(r, until))}
            found |= {key: row for key, row in late.items() if key not in found}
        return found

    def _begin(self, day: date, events: Sequence[Event]) -> None:
        self.with_tasks |= {each["family"] for each in events if each["parent"] is not None}
        for each in events:
            run_id = each["run_id"]
            if each["actionName"] == "runStart" and not {run_id} & (self.over | self.open.keys()):
                self.open[run_id] = Run(run_id, each["family"], each["timestamp"], day)
        for each in events:
            run_id = each["run_id"]
            is_known = run_id in self.over or run_id in self.open
            if each["actionName"] in ENDS and not is_known and run_id not in self.with_tasks:
                self.open[run_id] = Run(run_id, each["family"], None, day)

    def _hear(self, events: Sequence[Event]) -> None:
        for each in events:
            run = self.open.get(each["run_id"])
            if each["actionName"] == "cancel" and each["is_granted"]:
                if run is None:
                    self.uncertain.add(each["run_id"])
                else:
                    run.cancels.append(each["timestamp"])
            elif each["actionName"] in ENDS:
                if run is not None and run.own_end is None:
                    run.own_end = each
                self._hear_of_job_run(each)

    def _hear_of_job_run(self, end: Event) -> None:
        for run in self.open.values():
            is_of_it = run.family == end["run_id"] != run.run_id
            if is_of_it and run.job_end is None and run.start is not None:
                run.job_end = end if end["timestamp"] >= run.start else None


def read(event: Event) -> dict[str, Any]:
    """What the parameters of an event of a run tell."""
    [told] = (
        pl.DataFrame({"p": [event["requestParams"]]})
        .select(pl.col("p").str.json_decode(PARAMS).struct.unnest())
        .to_dicts()
    )
    run_id, parent = told["runId"] or told["run_id"], told["multitaskParentRunId"]
    return {
        "run_id": None if run_id is None else int(run_id),
        "parent": None if parent is None else int(parent),
        "family": int(parent or run_id or 0),
        "state": told["jobTerminalState"],
        "is_granted": event["response"]["statusCode"] == 200,
    }


PARAMS = pl.Struct(
    dict.fromkeys(("runId", "run_id", "multitaskParentRunId", "jobTerminalState"), pl.String)
)


def ending(run: Run, until: int) -> Closed | None:
    """The row of a run that is over by then."""
    own = run.own_end["timestamp"] if run.own_end else None
    grace = run.job_end["timestamp"] + HOUR if run.job_end else None
    decided = min((at for at in (own, grace) if at is not None), default=None)
    if decided is None or decided >= until:
        return None
    told = run.own_end if decided == own else run.job_end
    assert told is not None
    is_cancelled = any(at <= told["timestamp"] for at in run.cancels)
    state = "Cancelled" if is_cancelled else told["state"]
    day = datetime.fromtimestamp(decided / 1000, UTC).date()
    return (run.start, told["timestamp"], state, decided != own, day)


def day_of(event: Event) -> date:
    return datetime.fromtimestamp(event["timestamp"] / 1000, UTC).date()


def stored(seed: int, modules: Sequence[Module]) -> dict[int, Closed]:
    """What the table holds of runs that are over."""
    world = World(job_sources(seed), modules=modules)
    world.load(*DAYS)
    time = pl.col("TaskRunTime").struct
    rows = world.store.scan(jobrun_silver.table).filter(
        ~pl.col("is_open"), pl.col("row_kind") == "run"
    )
    columns = (
        time.field("startEpochMS"),
        time.field("endEpochMS"),
        "terminalState",
        "end_imputed",
        "partition_date",
    )
    return {row[0]: row[1:] for row in rows.select("runId", *columns).collect().rows()}


@cache
def expected(seed: int) -> tuple[dict[int, Closed], frozenset[int]]:
    reading = Reading(seed)
    return reading.closed(), frozenset(reading.uncertain)


def differing(seed: int, modules: Sequence[Module]) -> Iterator[tuple[int, object, object]]:
    """Runs that differ; whether a cancel counts that came before the run is not compared."""
    found, (told, uncertain) = stored(seed, modules), expected(seed)
    for run_id in found.keys() | told.keys():
        one, other = found.get(run_id), told.get(run_id)
        if run_id in uncertain and one and other:
            one, other = (*one[:2], *one[3:]), (*other[:2], *other[3:])
        if one != other:
            yield run_id, one, other


def registered() -> list[Module]:
    return [module for module in in_load_order() if module.table.name in NEEDED]


@pytest.mark.parametrize("seed", SEEDS)
def test_runs_are_those_of_the_rules_read_event_by_event(seed: int) -> None:
    assert list(differing(seed, registered())) == []


def test_the_worlds_end_runs_in_every_way() -> None:
    rows = [row for seed in SEEDS for row in expected(seed)[0].values()]
    assert {row[3] for row in rows} == {True, False}
    assert any(row[0] is None for row in rows)
    assert {"Cancelled", "Succeeded"} <= {row[2] for row in rows}


def mutated(change: Any) -> list[Module]:
    return [change(each) if each is jobrun_silver else each for each in registered()]


def without_history(module: Module) -> Module:
    def nothing(carried: pl.LazyFrame) -> pl.LazyFrame:
        return carried.clear().select("runId")

    reads = {
        name: replace(each, wanted=nothing) if isinstance(each, History) else each
        for name, each in module.reads.items()
    }
    return replace(module, reads=reads)


def without_job_runs(frames: dict[str, pl.LazyFrame]) -> dict[str, pl.LazyFrame]:
    return {**frames, "carried": frames["carried"].filter(pl.col("row_kind") == "run")}


def without_carried(frames: dict[str, pl.LazyFrame]) -> dict[str, pl.LazyFrame]:
    return {**frames, "carried": frames["carried"].clear()}


def is_caught(modules: Sequence[Module]) -> bool:
    try:
        return any(any(differing(seed, modules)) for seed in reversed(SEEDS))
    except LawBroken:
        return True


@pytest.mark.parametrize(
    "change",
    [without_history, before(without_job_runs), before(without_carried)],
    ids=["the past is forgotten", "job runs are forgotten", "open runs are forgotten"],
)
def test_a_rule_switched_off_is_noticed(change: Any) -> None:
    assert is_caught(mutated(change))


@pytest.mark.parametrize("name", ["GRACE_MS", "CANCELLED"])
def test_a_changed_constant_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_file, name, {"GRACE_MS": 1, "CANCELLED": "Succeeded"}[name])
    assert is_caught(registered())
