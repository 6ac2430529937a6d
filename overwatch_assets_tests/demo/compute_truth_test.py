import math
from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overwatch_assets.demo.cluster_life import ClusterLife, Version, reason
from overwatch_assets.demo.cluster_spec import ClusterSpec
from overwatch_assets.demo.company import Person
from overwatch_assets.demo.cost_shares import pieces_of
from overwatch_assets.demo.job_runs import Ending, Place, TaskRun
from overwatch_assets.demo.prices import price_list
from overwatch_assets.demo.simulation import simulate
from overwatch_assets.demo.world import World
from overwatch_assets_tests.demo.compute_reading import (
    Said,
    SeenState,
    api_of,
    named,
    seen_states,
    truth_of,
)

NAMES = ("tidewater-prod", "tidewater-lab", "tidewater-shops")
FIRST_DAY = date(2026, 10, 5)
DAY_MS = 86_400_000
BEGIN = round(datetime(2026, 10, 5, tzinfo=UTC).timestamp() * 1000)
OWNER = Person("owner@tidewater.example", 1, "203.0.113.1")
PRICES = price_list(FIRST_DAY, 4)
SETTLED_MS = 200
"""How long after an executor came or went the cluster's events have told it."""

HOURLY = 0.312 * 3
"""USD per hour of a driver and two workers, machines alone."""


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def truth(truths: dict[str, Said], name: str) -> Said:
    return truths[name]


def costs_of(run: Said) -> float:
    return sum(task["total_usd"] for task in run["tasks"])


def test_what_clusters_cost_is_what_runs_bear_and_what_is_idle(truth: Said) -> None:
    borne: dict[str, float] = defaultdict(float)
    for run in truth["runs"].values():
        for task in run["tasks"]:
            borne[task["cluster_id"]] += task["total_usd"]
    for cluster_id, cluster in truth["clusters"].items():
        total = sum(day["total_usd"] for day in cluster["days"].values())
        idle = sum(day["idle"]["total_usd"] for day in cluster["days"].values())
        assert total == pytest.approx(borne[cluster_id] + idle, abs=1e-6)
        assert idle >= 0


def test_jobs_and_users_bear_what_their_runs_bear(truth: Said) -> None:
    total = sum(costs_of(run) for run in truth["runs"].values())
    jobs = sum(job["total_usd"] for job in truth["jobs"].values())
    users = sum(day["total_usd"] for days in truth["users"].values() for day in days.values())
    assert total == pytest.approx(jobs, abs=1e-5)
    assert total == pytest.approx(users, abs=1e-5)


def test_machine_seconds_are_the_sum_over_states(world: World, truth: Said) -> None:
    for cluster in truth["clusters"].values():
        days: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
        for state in cluster["states"]:
            begin, end = max(state["start_ms"], world.since_ms), state["end_ms"]
            for day in range(begin // DAY_MS, (end - 1) // DAY_MS + 1):
                seconds = (min(end, (day + 1) * DAY_MS) - max(begin, day * DAY_MS)) / 1000
                sums = days[datetime.fromtimestamp(day * 86400, tz=UTC).date().isoformat()]
                sums[0] += seconds * state["is_running"]
                sums[1] += seconds * state["target_workers"]
                sums[2] += seconds * state["current_workers"] * state["is_dbu_billable"]
        said = {
            day: [of["driver_s"], of["worker_s"], of["billed_worker_s"]]
            for day, of in cluster["days"].items()
        }
        assert {day: pytest.approx(sums, abs=0.01) for day, sums in days.items()} == said


def test_states_follow_each_other_without_gap(truth: Said) -> None:
    for cluster in truth["clusters"].values():
        states = cluster["states"]
        for before, after in pairwise(states):
            assert before["start_ms"] < before["end_ms"] == after["start_ms"]
            assert not before["is_open"]
        is_deleted = cluster["deleted_ms"] is not None
        assert all(each["is_open"] != is_deleted for each in states[-1:])


def test_a_reader_of_the_events_sees_the_true_states(world: World, name: str, truth: Said) -> None:
    api = api_of(world, name)
    untold = {gap["subject"] for gap in truth["gaps"]}
    compared = 0
    for cluster_id, cluster in truth["clusters"].items():
        events: Any = api.cluster_events(cluster_id, world.until_ms)
        if cluster_id in untold or events is None:
            continue
        seen = [
            each for each in seen_states(events, world.until_ms) if each.end_ms > world.since_ms
        ]
        true = [
            SeenState(
                each["state"],
                each["start_ms"],
                each["end_ms"],
                each["current_workers"],
                each["target_workers"],
                each["is_running"],
            )
            for each in cluster["states"]
        ]
        assert seen == true
        compared += 1
    assert compared > 20


def test_events_are_counted_as_the_api_tells_them_day_by_day(
    world: World, name: str, truth: Said
) -> None:
    api = api_of(world, name)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    deleted = (cluster["deleted_ms"] for cluster in truth["clusters"].values())
    moments = {world.since_ms, world.until_ms, *(at_ms for at_ms in deleted if at_ms is not None)}
    known: dict[tuple[str, int], Said] = {}
    for now_ms in moments:
        for cluster_id in truth["clusters"]:
            events: Any = api.cluster_events(cluster_id, now_ms) or ()
            known |= {(cluster_id, event["timestamp"]): event for event in events}
    for event in known.values():
        if world.since_ms <= event["timestamp"] < world.until_ms:
            day = datetime.fromtimestamp(event["timestamp"] / 1000, tz=UTC).date().isoformat()
            counts[day][event["type"]] += 1
    assert {day: Counter(said) for day, said in truth["cluster_events"].items()} == counts


def test_objects_are_counted_as_the_api_knows_them_at_the_end_of_a_day(
    world: World, name: str, truth: Said
) -> None:
    api = api_of(world, name)
    ends = range(world.since_ms + DAY_MS, world.until_ms + 1, DAY_MS)
    for now_ms, said in zip(ends, truth["objects"].values(), strict=True):
        known = [api.cluster(each, now_ms) for each in truth["clusters"]]
        states = [each["state"] for each in known if each is not None]
        assert said["clusters"] == len(states)
        assert said["running_clusters"] == sum(
            state not in {"TERMINATED", "TERMINATING"} for state in states
        )
        assert said["jobs"] == len(api.jobs(now_ms))
        assert said["job_runs"] == len(api.job_runs(now_ms))
        assert said["instance_pools"] == len(api.instance_pools(now_ms))


def test_runs_are_told_by_the_audit_log_as_they_were(world: World, name: str, truth: Said) -> None:
    untold = {gap["subject"] for gap in truth["gaps"]}
    starts: dict[str, int] = {}
    ends: dict[str, tuple[int, str]] = {}
    for action in named(world, name).actions:
        params = action.params or {}
        match f"{action.service}.{action.action}":
            case "jobs.runStart":
                starts[str(params["runId"])] = action.at_ms
            case "jobs.runSucceeded" | "jobs.runFailed":
                ends[str(params["runId"])] = action.at_ms, str(params["jobTerminalState"])
            case _:
                pass
    tasks = [task for run in truth["runs"].values() for task in run["tasks"]]
    told = [task for task in tasks if str(task["run_id"]) not in untold]
    for task in told:
        run_id = str(task["run_id"])
        assert starts.get(run_id) == task["started_ms"]
        ended = None if task["ended_ms"] is None else (task["ended_ms"], task["ending"])
        assert ends.get(run_id) == ended
    assert len(tasks) - len(told) == sum(
        gap["kind"] in {"lost_run_end", "started_before"} for gap in truth["gaps"]
    )


def test_a_cluster_is_up_while_a_run_is_on_it(truth: Said) -> None:
    for run in truth["runs"].values():
        for task in run["tasks"]:
            if task["started_ms"] is None:
                continue
            cluster = truth["clusters"][task["cluster_id"]]
            during = [
                state["is_running"]
                for state in cluster["states"]
                if state["end_ms"] > task["started_ms"]
                and state["start_ms"] < (task["ended_ms"] or math.inf)
            ]
            assert during
            assert all(during)


def test_every_executor_is_a_worker_of_its_cluster() -> None:
    made = simulate(seed=7, first_day=FIRST_DAY, days=2, scale=0.3)
    checked = 0
    for each in made.workspaces:
        lives = {life.cluster_id: life for life in each.compute.lives()}
        for context in each.contexts:
            if context.cluster.is_single_node:
                continue
            life = lives[context.cluster.cluster_id]
            changes = {executor.added_ms for executor in context.executors}
            changes |= {executor.removed_ms or 0 for executor in context.executors}
            for at_ms in (change + SETTLED_MS for change in changes):
                phase = life.phase_at(at_ms)
                if phase is None or phase.api_state not in {"RUNNING", "RESIZING"}:
                    continue
                alive = sum(
                    executor.added_ms <= at_ms < (executor.removed_ms or math.inf)
                    for executor in context.executors
                )
                assert phase.current == alive
                checked += 1
    assert checked > 20


def test_the_truth_names_the_last_sign_of_life_of_a_lost_termination(
    truths: dict[str, Said],
) -> None:
    truth = truths["tidewater-prod"]
    lost = [gap for gap in truth["gaps"] if gap["kind"] == "lost_termination"]
    assert len(lost) == 2
    for gap in lost:
        cluster = truth["clusters"][gap["subject"]]
        [untold] = [state for state in cluster["states"] if not state["is_told"]]
        assert (untold["state"], untold["start_ms"]) == ("TERMINATING", gap["at_ms"])
        assert gap["heard_ms"] < gap["at_ms"]


def test_another_seed_is_another_world_and_the_same_seed_the_same() -> None:
    def truths(seed: int) -> list[Said]:
        made = simulate(seed=seed, first_day=FIRST_DAY, days=2, scale=0.2, spark_logs=False)
        return [truth_of(made, name) for name in NAMES]

    one = truths(11)
    assert one == truths(11)
    assert not set(one[0]["clusters"]) & set(truths(12)[0]["clusters"])


def test_without_spark_logs_compute_is_the_same() -> None:
    with_logs, without = (
        simulate(seed=3, first_day=FIRST_DAY, days=1, scale=0.3, spark_logs=flag)
        for flag in (True, False)
    )
    assert truth_of(with_logs, "tidewater-lab") == truth_of(without, "tidewater-lab")
    assert not any(each.contexts for each in without.workspaces)


def spec(source: str = "UI") -> ClusterSpec:
    return ClusterSpec("c", OWNER, source, "i3.xlarge", 2, 2)


def life(*, stopped_s: int | None = None, source: str = "UI") -> ClusterLife:
    """STARTING for 300 s, then RUNNING with two workers."""
    made = ClusterLife("c-1", "eu-central-1", [Version(BEGIN, spec(source))])
    made.starting(BEGIN, "1", OWNER.email)
    made.running(BEGIN + 300_000, 2)
    if stopped_s is not None:
        made.terminating(BEGIN + stopped_s * 1000, BEGIN + stopped_s * 1000 + 1, reason("X"))
    return made


def run(run_id: int, begin_s: float, end_s: float, place: Place = Place.EXISTING) -> TaskRun:
    span = BEGIN + round(begin_s * 1000), BEGIN + round(end_s * 1000)
    return TaskRun(run_id, "t", "notebook", place, "c-1", *span, Ending.SUCCEEDED)


def machine_cost(of: ClusterLife, *runs: TaskRun, until_s: int = 2100) -> dict[int, float]:
    """Cost of machines by run in hours of the cluster; 0: idle."""
    borne: dict[int, float] = defaultdict(float)
    for piece in pieces_of(of, runs, PRICES, BEGIN, BEGIN + until_s * 1000):
        for each in piece.runs:
            borne[each.run_id] += piece.amount.compute_usd / len(piece.runs) / HOURLY
        if not piece.runs:
            borne[0] += piece.amount.compute_usd / HOURLY
    return dict(borne)


def test_runs_share_a_moment_evenly_and_the_first_bears_the_start() -> None:
    shares = machine_cost(life(), run(1, 100, 1500), run(2, 900, 2100))
    assert shares == {1: pytest.approx((300 + 900) / 3600), 2: pytest.approx(900 / 3600)}


def test_a_run_inside_a_longer_one_takes_half_of_its_own_time() -> None:
    shares = machine_cost(life(), run(1, 300, 2100), run(2, 900, 1200))
    assert shares == {
        0: pytest.approx(300 / 3600),
        1: pytest.approx((1500 + 150) / 3600),
        2: pytest.approx(150 / 3600),
    }


def test_a_run_on_a_cluster_made_for_it_bears_the_state_it_began_in() -> None:
    shares = machine_cost(life(), run(1, 600, 900, Place.NEW))
    assert shares[1] == pytest.approx(600 / 3600)


def test_a_later_run_does_not_bear_a_start_that_an_earlier_one_bears() -> None:
    shares = machine_cost(life(), run(1, 50, 100), run(2, 200, 300))
    assert shares[1] == pytest.approx(100 / 3600)
    assert shares[2] == pytest.approx(100 / 3600)


def test_photon_spot_and_single_node_are_billed_as_they_are() -> None:
    single = ClusterSpec("s", OWNER, "UI", "i3.xlarge", 0, 0, runtime_engine="PHOTON")
    alone = ClusterLife("c-2", "eu-central-1", [Version(BEGIN, single)])
    alone.creating(BEGIN, "1", OWNER.email)
    alone.running(BEGIN + 60_000, 0)
    [creating, running] = pieces_of(alone, (), PRICES, BEGIN, BEGIN + 3_660_000)
    assert (creating.amount.dbus, running.amount.dbus) == (0, 2.0)
    assert running.amount.total_usd == pytest.approx(0.312 + 2.0 * 0.55)


def test_a_state_keeps_the_price_of_its_start() -> None:
    change = BEGIN + 2 * DAY_MS
    pieces = list(pieces_of(life(), (), PRICES, BEGIN, change + DAY_MS))
    rates = [piece.amount.compute_usd / piece.amount.driver_s for piece in pieces]
    assert all(rate == pytest.approx(rates[0]) for rate in rates)
    assert {piece.day - BEGIN // DAY_MS for piece in pieces} == {0, 1, 2}


@given(
    st.lists(
        st.tuples(st.integers(0, 2000), st.integers(1, 900), st.sampled_from(list(Place))),
        max_size=8,
    ),
    st.integers(301, 2000),
)
@settings(deadline=None)
def test_whatever_runs_there_are_nothing_is_lost(
    spans: list[tuple[int, int, Place]], stopped_s: int
) -> None:
    runs = [
        run(n + 1, begin, begin + length, place) for n, (begin, length, place) in enumerate(spans)
    ]
    borne = machine_cost(life(stopped_s=stopped_s), *runs, until_s=5000)
    assert math.fsum(borne.values()) == pytest.approx(stopped_s / 3600)
