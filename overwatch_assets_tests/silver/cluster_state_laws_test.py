"""However its days are cut, the table holds what an event-by-event reading of the rules gives.

A rule switched off must be noticed: each mutant changes one in a copy.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overwatch_assets.errors import LawBroken
from overwatch_assets.silver import cluster_state_detail_silver as states
from overwatch_assets_tests.silver.cluster_days import History
from overwatch_assets_tests.silver.cluster_state_oracle import states as true_states
from overwatch_assets_tests.silver.cluster_state_worlds import HOUR, history_of, loaded

CASES = settings(max_examples=20, deadline=None, print_blob=True)
seeds = st.integers(0, 100_000)
ROW = (
    "cluster_id",
    "unixTimeMS_state_start",
    "state",
    "isRunning",
    "current_num_workers",
    "target_num_workers",
    "unixTimeMS_state_end",
    "end_imputed",
)

Rows = set[tuple[object, ...]]


def differences(history: History, ends: list[int]) -> tuple[Rows, Rows]:
    """States that only the oracle has, and those that only the table has."""
    expected = {each.row[:-1] for each in true_states(history, ends[-1])}
    found = set(loaded(history, ends).rows(*ROW))
    return expected - found, found - expected


@CASES
@given(seeds)
def test_states_are_those_of_the_rules_read_event_by_event(seed: int) -> None:
    history, ends = history_of(seed)
    assert differences(history, ends) == (set(), set())


@CASES
@given(seeds)
def test_a_state_lies_on_the_day_of_what_decided_it(seed: int) -> None:
    history, ends = history_of(seed)
    decided = [
        (each.cluster, each.start, each.state, each.decided)
        for each in true_states(history, ends[-1])
        if each.decided is not None
    ]
    found = [
        (*row, number)
        for number, rows in loaded(history, ends).days.items()
        for row in rows.filter(~pl.col("is_open"))
        .select("cluster_id", "unixTimeMS_state_start", "state")
        .rows()
    ]
    days = list(pairwise(ends))
    expected = [
        (*key, str(number))
        for *key, at in decided
        for number, (since, until) in enumerate(days)
        if since <= int(str(at)) < until
    ]
    assert sorted(found, key=str) == sorted(expected, key=str)


@CASES
@given(seeds)
def test_states_never_overlap_and_uptimes_add_up(seed: int) -> None:
    history, ends = history_of(seed)
    rows = loaded(history, ends).shown.to_dicts()
    for before, after in pairwise(rows):
        assert before["unixTimeMS_state_end"] < after["unixTimeMS_state_start"] or (
            before["unixTimeMS_state_start"] == after["unixTimeMS_state_start"]
        )
    counted, partition = 0, 0
    for row in rows:
        uptime = max(row["unixTimeMS_state_end"] - row["unixTimeMS_state_start"], 0)
        assert row["uptime_in_state_S"] == uptime / 1000
        is_new = row["counter_reset"] == 1 or row["reset_partition"] < partition
        counted, partition = (0 if is_new else counted) + uptime, row["reset_partition"]
        since = 0 if row["counter_reset"] else counted
        assert row["uptime_since_restart_S"] == since / 1000
        assert row["counter_reset"] == 1 or row["isRunning"]
        assert row["days_in_state"] == len(row["state_dates"])


SEEDS = (3, 0, 19, 2, 7, 11, 5, 41)
"""Histories in which every rule decides something."""

Patch = Callable[[pytest.MonkeyPatch], None]


def constant(name: str, value: object) -> Patch:
    return lambda patch: patch.setattr(states, name, value)


def rule(**changes: Any) -> Patch:
    changed = replace(states.CLUSTERS, **changes)
    return lambda patch: patch.setattr(states, "CLUSTERS", changed)


def without(name: str, position: int) -> Patch:
    """A step that does not see one of its frames."""
    step = vars(states)[name]

    def blind(*frames: object) -> pl.LazyFrame:
        seen = list(frames)
        frame = seen[position]
        assert isinstance(frame, pl.LazyFrame)
        seen[position] = frame.clear()
        return step(*seen)

    return lambda patch: patch.setattr(states, name, blind)


MUTANTS: dict[str, Patch] = {
    "a job cluster ends an hour after its last sign": rule(grace_ms=HOUR),
    "a silent job cluster goes on": rule(grace_ms=1000 * HOUR),
    "runs and captures are no signs of life": without("life_signs", 0),
    "captures are no signs of life": constant("SHOWN_UP", ()),
    "commands are no signs of life": without("_commands", 0),
    "an open run does not keep a job cluster up": without("silences", 1),
    "what a capture does not show goes on": without("silences", 2),
    "a stopped job cluster stays open": rule(stopped_automated_ms=1000 * HOUR),
    "a start of what is up reveals nothing": rule(switched_on=("NEVER",)),
    "a running cluster first seen is off": rule(anchors=("STARTING",)),
    "an edit changes the workers of the moment": constant("EDITED", "NEVER"),
    "a deletion is overlooked": without("deletions", 0),
    "what comes after a deletion counts": without("_events", 1),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_rule_switched_off_is_noticed(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MUTANTS[mutant](monkeypatch)
    assert any(is_caught(seed) for seed in SEEDS)


def test_rules_that_are_on_are_not_called_broken() -> None:
    assert not any(is_caught(seed) for seed in SEEDS)


def is_caught(seed: int) -> bool:
    try:
        return differences(*history_of(seed)) != (set(), set())
    except LawBroken:
        return True
