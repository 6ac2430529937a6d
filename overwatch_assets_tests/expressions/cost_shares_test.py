from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from random import Random

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from overwatch_assets.expressions.cost_shares import (
    PARTS,
    day_pieces,
    run_states,
    share_of_state,
    shared,
)

Run = tuple[int, int]
"""Start and end."""
State = tuple[int, int, str]
"""Start, end and name."""
Cluster = tuple[list[Run], list[State], str | None]
"""Runs on it, its states, and the kind of cluster that the runs say it is."""

DAY_MS = 86_400_000
EPOCH = date(1970, 1, 1)
NIGHT = DAY_MS - 8
"""The worlds lie around a midnight."""

COUNTED = ("run_id", "_state_since_ms", "_day", "_parts")
WORLDS = settings(max_examples=15, deadline=None)

starts = st.integers(NIGHT, NIGHT + 24)
spans = st.tuples(starts, st.integers(0, 12)).map(lambda span: (span[0], sum(span)))
names = st.sampled_from(["STARTING", "CREATING", "RUNNING", "TERMINATING"])


@st.composite
def states_in_a_row(draw: st.DrawFn) -> list[State]:
    """States that follow each other, some of no length, with gaps between some."""
    cuts = sorted(draw(st.lists(st.integers(NIGHT, NIGHT + 30), min_size=2, max_size=8)))
    states = [(a, b, draw(names)) for a, b in pairwise(cuts)]
    return [each for each in states if draw(st.integers(0, 5))]


clusters = st.tuples(st.lists(spans, max_size=6), states_in_a_row(), st.sampled_from(["new", None]))
worlds = st.lists(clusters, min_size=1, max_size=8)


def run_id(cluster: int, run: int) -> int:
    return 100 * cluster + run


def borne(world: Sequence[Cluster], random: Random | None = None) -> pl.DataFrame:
    """Pieces of the runs on some clusters, in an order of their own."""
    runs = [
        (run_id(c, n), str(c), kind, *run)
        for c, (runs, _, kind) in enumerate(world)
        for n, run in enumerate(runs)
    ]
    states = [(str(c), *state) for c, (_, states, _) in enumerate(world) for state in states]
    if random is not None:
        random.shuffle(runs)
        random.shuffle(states)
    run_frame = pl.LazyFrame(
        runs,
        schema={
            "run_id": pl.Int64,
            "cluster_id": pl.String,
            "cluster_type": pl.String,
            "_run_since_ms": pl.Int64,
            "_run_until_ms": pl.Int64,
        },
        orient="row",
    )
    state_frame = pl.LazyFrame(
        states,
        schema={
            "cluster_id": pl.String,
            "_state_since_ms": pl.Int64,
            "_state_until_ms": pl.Int64,
            "state": pl.String,
        },
        orient="row",
    )
    pieces = shared(day_pieces(run_states(run_frame, state_frame), "UTC"))
    return (
        pieces.with_columns(share=share_of_state())
        .sort("run_id", "_piece_since_ms")
        .collect(engine="in-memory")
    )


def shares(runs: list[Run], *states: State, kind: str | None = None) -> list[float]:
    """Of each run on a cluster the part it bears of the states together."""
    of_run = borne([(runs, list(states), kind)]).group_by("run_id").agg(pl.col("share").sum())
    found = dict(of_run.iter_rows())
    return [found.get(number, 0.0) for number in range(len(runs))]


def by_the_millisecond(world: Sequence[Cluster]) -> dict[tuple[int, int, date], Fraction]:
    """What a run bears of a state on a day, looked at millisecond by millisecond."""
    found: dict[tuple[int, int, date], Fraction] = {}
    for cluster, (runs, states, kind) in enumerate(world):
        for since, until, name in states:
            there = {n: run for n, run in enumerate(runs) if run[0] < until and run[1] > since}
            first = min((run[0] for run in there.values()), default=0)
            comes_up = name in {"STARTING", "CREATING"} or kind == "new"
            begins = {n: since if comes_up and r[0] == first else r[0] for n, r in there.items()}
            for instant in range(since, until):
                active = [n for n, run in there.items() if begins[n] <= instant < run[1]]
                for number in active:
                    key = (run_id(cluster, number), since, EPOCH + timedelta(instant // DAY_MS))
                    found[key] = found.get(key, Fraction(0)) + Fraction(1, len(active))
    return found


@WORLDS
@given(worlds)
def test_shares_are_those_counted_millisecond_by_millisecond(world: list[Cluster]) -> None:
    rows = borne(world).filter(pl.col("_parts") > 0).select(COUNTED)
    counted = {tuple(row[:3]): Fraction(row[3], PARTS) for row in rows.iter_rows()}
    assert counted == by_the_millisecond(world)


def miscounted(pieces: pl.DataFrame) -> pl.DataFrame:
    """Run states whose number of overlapping runs is not that of the pairs that overlap."""
    state = ["cluster_id", "_state_since_ms"]
    whole = pieces.unique(["run_id", *state])
    pairs = whole.join(whole, on=state, suffix="_other").filter(
        pl.col("run_id") != pl.col("run_id_other"),
        pl.col("_since_ms") < pl.col("_until_ms"),
        pl.col("_since_ms_other") < pl.col("_until_ms"),
        pl.col("_until_ms_other") > pl.col("_since_ms"),
    )
    counted = pairs.group_by("run_id", *state).agg(pl.len().cast(pl.Int64).alias("others"))
    both = whole.join(counted, on=["run_id", *state], how="left")
    return both.filter(pl.col("_overlapping_runs") != pl.col("others").fill_null(0))


def test_a_hundred_clusters_at_once_are_shared_as_each_alone() -> None:
    random = Random(7)  # noqa: S311 - no secret
    world: list[Cluster] = []
    for _ in range(100):
        cuts = sorted(NIGHT + random.randrange(30) for _ in range(6))
        kinds = [random.choice(["STARTING", "CREATING", "RUNNING"]) for _ in cuts]
        states = [(*times, kind) for times, kind in zip(pairwise(cuts), kinds, strict=False)]
        begun = [NIGHT + random.randrange(24) for _ in range(5)]
        runs = [(since, since + random.randrange(12)) for since in begun]
        kept = [each for each in states if random.random() < 0.8]
        world.append((runs, kept, random.choice(["new", "existing", None])))
    assert miscounted(borne(world)).is_empty()
    rows = borne(world).select(*COUNTED, "share", "_overlapping_runs")
    of_parts = rows.filter(pl.col("_parts") > 0).select(COUNTED)
    counted = {tuple(row[:3]): Fraction(row[3], PARTS) for row in of_parts.iter_rows()}
    assert counted == by_the_millisecond(world)
    assert rows.filter(~pl.col("share").is_between(0, 1)).is_empty()
    assert borne(world, random).select(rows.columns).equals(rows)


@WORLDS
@given(worlds)
def test_the_runs_of_a_state_never_bear_more_than_the_state(world: list[Cluster]) -> None:
    of_state = (
        borne(world)
        .group_by("cluster_id", "_state_since_ms", "_state_until_ms")
        .agg(pl.col("_parts").sum(), pl.col("share").sum())
    )
    length = pl.col("_state_until_ms") - pl.col("_state_since_ms")
    assert of_state.filter(pl.col("_parts") > length * PARTS).is_empty()
    assert of_state.filter(pl.col("share") > 1 + 1e-12).is_empty()


@WORLDS
@given(worlds, st.randoms(use_true_random=False))
def test_the_order_of_runs_and_states_does_not_matter(world: list[Cluster], random: Random) -> None:
    columns = (*COUNTED, "_overlapping_runs", "share")
    assert borne(world).select(columns).equals(borne(world, random).select(columns))


@WORLDS
@given(worlds)
def test_overlapping_runs_are_those_that_bear_the_state_at_the_same_time(
    world: list[Cluster],
) -> None:
    assert miscounted(borne(world)).is_empty()


@settings(max_examples=20)
@given(st.integers(1, 40), st.integers(1, 1000))
def test_any_number_of_runs_together_bear_the_state_or_a_hair_less(runs: int, length: int) -> None:
    rows = borne([([(0, length)] * runs, [(0, length, "RUNNING")], None)])
    missing = length * PARTS - rows["_parts"].sum()
    assert missing == (length * PARTS) % runs
    assert rows["_parts"].n_unique() == 1
    assert rows["_overlapping_runs"].to_list() == [runs - 1] * runs


def test_staggered_runs_bear_a_fully_used_state_whole() -> None:
    assert shares([(300, 1500), (900, 2100)], (300, 2100, "RUNNING")) == [0.5, 0.5]


def test_a_run_within_a_longer_one_takes_half_of_its_time() -> None:
    [long, short] = shares([(0, 3600), (600, 1200)], (0, 3600, "RUNNING"))
    assert (long, short) == (3300 / 3600, 300 / 3600)


def test_runs_that_follow_each_other_do_not_share() -> None:
    rows = borne([([(0, 50), (50, 100)], [(0, 100, "RUNNING")], None)])
    assert rows["share"].to_list() == [0.5, 0.5]
    assert rows["_overlapping_runs"].to_list() == [0, 0]


def test_a_state_belongs_to_no_run_that_ended_before_it_or_began_after_it() -> None:
    assert borne([([(0, 10), (20, 30)], [(10, 20, "RUNNING")], None)]).is_empty()


def test_the_first_run_bears_the_time_in_which_its_cluster_came_up() -> None:
    assert shares([(60, 100), (80, 100)], (0, 100, "STARTING")) == [0.9, 0.1]
    assert shares([(60, 100), (80, 100)], (0, 100, "CREATING")) == [0.9, 0.1]


def test_no_run_bears_what_comes_before_it_in_a_cluster_that_runs() -> None:
    assert shares([(60, 100)], (0, 100, "RUNNING")) == [0.4]
    assert shares([(60, 100)], (0, 100, "RUNNING"), kind="new") == [1.0]


def test_runs_that_start_first_together_share_the_beginning() -> None:
    assert shares([(60, 100), (60, 100), (80, 100)], (0, 80, "STARTING")) == [0.5, 0.5, 0.0]


def test_no_run_bears_what_comes_after_its_end() -> None:
    assert shares([(0, 40)], (0, 100, "STARTING")) == [0.4]
    assert shares([(0, 40)], (0, 100, "RUNNING"), kind="new") == [0.4]


def test_a_run_that_was_there_before_leaves_the_beginning_to_nobody_else() -> None:
    states = [(0, 50, "RUNNING"), (50, 100, "STARTING")]
    assert shares([(0, 60), (80, 100)], *states) == [1.0 + 0.2, 0.4]


def test_a_piece_ends_at_midnight() -> None:
    rows = borne([([(DAY_MS - 30, DAY_MS + 10)], [(DAY_MS - 60, DAY_MS + 20, "RUNNING")], None)])
    assert rows.select("_day", "share").rows() == [
        (EPOCH, 30 / 80),
        (EPOCH + timedelta(1), 10 / 80),
    ]


def test_states_of_other_clusters_are_none_of_a_runs() -> None:
    alone: Cluster = ([], [(0, 10, "RUNNING")], None)
    rows = borne([([(0, 10)], [(5, 10, "RUNNING")], None), alone, ([(0, 10)], [], None)])
    assert rows.select("cluster_id", "_since_ms", "share").rows() == [("0", 5, 1.0)]


def test_shares_are_counted_in_parts_that_sixteen_runs_divide() -> None:
    assert [PARTS % runs for runs in range(1, 17)] == [0] * 16


def test_each_overlap_counts_the_runs_of_its_own_state() -> None:
    states = [(0, 10, "RUNNING"), (10, 20, "RUNNING")]
    rows = borne([([(0, 20), (0, 5), (2, 4), (12, 20)], states, None)])
    found = rows.select("run_id", "_state_since_ms", "_overlapping_runs").rows()
    assert found == [(0, 0, 2), (0, 10, 1), (1, 0, 2), (2, 0, 2), (3, 10, 1)]


def test_a_run_of_no_length_bears_nothing_and_disturbs_nobody() -> None:
    rows = borne([([(10, 10), (0, 20)], [(0, 20, "RUNNING")], None)])
    assert rows.select("run_id", "share", "_overlapping_runs").rows() == [(0, 0.0, 0), (1, 1.0, 1)]
