"""The laws of pairing, over small worlds of contexts and jobs, against rules told in one pass."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from overwatch_assets.silver.spark_jobs_silver import spark_jobs_silver
from overwatch_assets_tests.frames import Row, ms
from overwatch_assets_tests.silver.spark_days import (
    application_end,
    days_from,
    event,
    job_end,
    job_start,
    load,
)

DAYS = days_from("2024-05-06", 3)
STEP_MS = 20 * 60 * 1000
"""Events fall on multiples of 20 minutes: many ties, and gaps of exactly an hour."""

HOUR = 3
LAST_STEP = 3 * 24 * HOUR - 1
STEPS = st.one_of(st.integers(64, 77), st.integers(138, 148), st.integers(0, LAST_STEP))
"""Mostly the hours around the two midnights, so that hours of grace meet them and each other."""

Closed = tuple[str, int, int | None, int, str]
Open = tuple[str, int, int]


@dataclass(frozen=True)
class Job:
    """Steps at which a job started, if that was logged, and ended, as often as it was."""

    start: int | None
    ends: tuple[int, ...]


@dataclass(frozen=True)
class Context:
    """Jobs by id; what else the log holds, and when the application ended, if it says so."""

    jobs: tuple[Job, ...]
    others: tuple[int, ...]
    end: int | None
    cluster: str | None

    @property
    def steps(self) -> list[int]:
        of_jobs = [each for job in self.jobs for each in (job.start, *job.ends) if each is not None]
        end = [] if self.end is None else [self.end]
        return sorted([*of_jobs, *self.others, *end])


@st.composite
def jobs(draw: st.DrawFn) -> Job:
    start = draw(st.none() | STEPS)
    ends = draw(st.lists(STEPS, max_size=2, unique=True))
    return Job(start, tuple(each for each in ends if start is None or each >= start))


CONTEXTS = st.builds(
    Context,
    jobs=st.lists(jobs(), max_size=2).map(tuple),
    others=st.lists(STEPS, max_size=3).map(tuple),
    end=st.none() | STEPS,
    cluster=st.none() | st.sampled_from(["c-1", "c-2", "c-3", "c-4"]),
)
WORLDS = st.lists(CONTEXTS, min_size=1, max_size=16)
"""Many contexts at once: a load costs the same, and clusters don't touch each other."""


def at(step: int) -> int:
    return ms(DAYS[0]) + step * STEP_MS


def events_of(world: Sequence[Context]) -> list[Row]:
    rows: list[Row] = []
    for number, context in enumerate(world):
        name, cluster = str(number), context.cluster
        for job_id, job in enumerate(context.jobs):
            starts = [] if job.start is None else [job.start]
            rows += [job_start(at(each), job_id, name, clusterId=cluster) for each in starts]
            rows += [job_end(at(each), job_id, name, clusterId=cluster) for each in job.ends]
        rows += [event("Other", at(each), name, clusterId=cluster) for each in set(context.others)]
        if context.end is not None:
            rows.append(application_end(at(context.end), name, clusterId=cluster))
    return rows


def revealed(context: Context, world: Sequence[Context]) -> tuple[int, str] | None:
    """First instant that shows the context's end, and what shows it."""
    first = context.steps[0]
    on_cluster = [each for each in world if each.cluster == context.cluster and each.steps]
    successors = [each.steps[0] for each in on_cluster if each.steps[0] > first]
    shown = [] if context.end is None else [(context.end, "application_end")]
    if context.cluster is not None and successors:
        shown.append((min(successors), "replaced"))
    return min(shown, default=None)


def closing(context: Context, world: Sequence[Context]) -> tuple[int, int, str] | None:
    """Step a context closes at, its end, and the reason; None while it is open."""
    shown = revealed(context, world)
    if shown is None:
        return None
    since, reason = shown
    closes = since + HOUR
    for step in context.steps:
        if since <= step < closes:
            closes = step + HOUR
    last = max(step for step in context.steps if step < closes)
    return (
        (closes, last if reason == "replaced" else since, reason) if closes <= LAST_STEP else None
    )


def told(world: Sequence[Context]) -> tuple[list[Closed], list[Open], dict[str, int]]:
    """Closed rows, open rows and events left out, as the rules say, seen from the end."""
    closed: list[Closed] = []
    waiting: list[Open] = []
    counted = {"repeated_end": 0, "after_application_end": 0}
    for number, context in enumerate(world):
        if not context.steps:
            continue
        closes, end, reason = closing(context, world) or (LAST_STEP + 1, 0, "")
        for job_id, job in enumerate(context.jobs):
            ends = sorted(each for each in job.ends if each < closes)
            start = job.start if job.start is not None and job.start < closes else None
            known = 0 if job.start is None else 1
            used = len(ends) + (0 if start is None else 1)
            counted["after_application_end"] += len(job.ends) + known - used
            counted["repeated_end"] += max(0, len(ends) - 1)
            key = (str(number), job_id)
            if ends:
                why = "start_missing" if start is None else "event"
                closed.append((*key, None if start is None else at(start), at(ends[0]), why))
            elif start is not None and reason:
                closed.append((*key, at(start), at(max(start, end)), reason))
            elif start is not None:
                waiting.append((*key, at(start)))
    return sorted(closed, key=str), sorted(waiting), {k: n for k, n in counted.items() if n}


@settings(deadline=None, max_examples=40)
@given(WORLDS, st.randoms(use_true_random=False))
def test_days_one_by_one_give_what_the_rules_say_of_the_whole(
    world: list[Context], random: Random
) -> None:
    events = events_of(world)
    random.shuffle(events)
    loaded = load(spark_jobs_silver, events, DAYS)
    closed, waiting, counted = told(world)
    key = ("SparkContextID", "JobID", "startTimestamp")
    end = pl.col("JobRunTime").struct.field("endEpochMS")
    assert sorted(loaded.closed.select(*key, end, "end_reason").rows(), key=str) == closed
    assert sorted(loaded.open.select(key).rows()) == waiting
    totals: dict[str, int] = {}
    for reasons in loaded.counted.values():
        for reason, number in reasons.items():
            totals[reason] = totals.get(reason, 0) + number
    assert totals == counted


@settings(deadline=None, max_examples=12)
@given(WORLDS)
def test_a_day_does_not_depend_on_what_comes_after_it(world: list[Context]) -> None:
    events = events_of(world)
    whole = load(spark_jobs_silver, events, DAYS)
    by_key = ["SparkContextID", "JobID"]
    for number, day in enumerate(DAYS[:-1], start=1):
        until = at(number * 24 * HOUR)
        earlier = [each for each in events if int(str(each["eventTimeMS"])) < until]
        cut = load(spark_jobs_silver, earlier, DAYS[:number])
        assert cut.days[day].sort(by_key).equals(whole.days[day].sort(by_key))
