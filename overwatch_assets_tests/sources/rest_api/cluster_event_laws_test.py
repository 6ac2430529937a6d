"""Whatever way cluster events are asked for, the same rows come of it."""

import random
from datetime import UTC, date, datetime

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from overwatch_assets.sources.rest_api.api import Json
from overwatch_assets_tests.sources.rest_api.cluster_world import (
    DAYS,
    START,
    ClusterDeployment,
    ClusterWorld,
    at_of,
)

WORLDS = settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
seeds = st.integers(0, 100_000)


def loaded(world: ClusterWorld) -> ClusterDeployment:
    deployment = ClusterDeployment(world.api(), world.audit)
    deployment.load(*DAYS)
    return deployment


def told_in_days(world: ClusterWorld) -> set[tuple[str, int, str]]:
    """Keys of all events of the days: two of one type and instant are one."""
    until = START + len(DAYS) * 86_400_000
    return {
        (str(each["cluster_id"]), at_of(each), str(each["type"]))
        for events in world.events.values()
        for each in events
        if START <= at_of(each) < until
    }


def keys(rows: pl.DataFrame) -> set[tuple[object, ...]]:
    return set(rows.select("cluster_id", "timestamp", "type").rows())


@WORLDS
@given(seeds)
def test_a_range_holds_every_event_of_its_days_once(seed: int) -> None:
    world = ClusterWorld(seed)
    rows = loaded(world).rows()
    assert keys(rows) == told_in_days(world)
    assert rows.height == len(told_in_days(world))
    assert set(rows.select(pl.from_epoch("timestamp", "ms").dt.date()).to_series()) == set(
        rows["partition_date"]
    )


@WORLDS
@given(seeds)
def test_a_cluster_is_asked_once_for_a_range(seed: int) -> None:
    deployment = loaded(ClusterWorld(seed))
    first_pages = [body["cluster_id"] for body in deployment.api.asked if "page_token" not in body]
    assert len(set(first_pages)) == len(first_pages)


@WORLDS
@given(seeds)
def test_day_by_day_and_what_was_owed_is_one_range(seed: int) -> None:
    world = ClusterWorld(seed)
    daily = ClusterDeployment(world.api(), world.audit)
    daily.load_daily(*DAYS)
    assert daily.rows().equals(loaded(world).rows())


@WORLDS
@given(seeds, st.sets(st.sampled_from(DAYS[1:])))
def test_every_split_of_a_range_gives_the_same_rows(seed: int, cuts: set[date]) -> None:
    world = ClusterWorld(seed)
    apart = ClusterDeployment(world.api(), world.audit)
    part: list[date] = []
    for day in DAYS:
        if day in cuts:
            apart.load(*part)
            apart.mend()
            part = []
        part.append(day)
    apart.load(*part)
    apart.mend()
    assert apart.rows().equals(loaded(world).rows())


@WORLDS
@given(seeds)
def test_pages_that_come_twice_and_in_any_order_do_not_matter(seed: int) -> None:
    world = ClusterWorld(seed)
    pick = random.Random(seed)  # noqa: S311 - no secret

    def mixed(events: list[Json]) -> list[object]:
        twice: list[object] = [*events, *events]
        pick.shuffle(twice)
        return twice

    mixed_up = ClusterDeployment(world.api(mix=mixed), world.audit)
    mixed_up.load(*DAYS)
    mixed_up.load(*DAYS)
    assert mixed_up.rows().equals(loaded(world).rows())


@WORLDS
@given(seeds, st.floats(0.1, 0.9))
def test_failures_at_any_page_leave_no_hole_once_they_are_over(seed: int, share: float) -> None:
    world = ClusterWorld(seed)
    pick = random.Random(seed)  # noqa: S311 - no secret
    deployment = ClusterDeployment(world.api(), world.audit)
    deployment.api.fails = lambda _cluster, _page: pick.random() < share
    deployment.load_daily(*DAYS)
    deployment.api.fails = lambda _cluster, _page: False
    deployment.mend()
    deployment.mend()
    assert deployment.rows().equals(loaded(world).rows())
    assert "failed" not in set(deployment.fetches()["status"])


@WORLDS
@given(seeds, st.floats(0.1, 0.9))
def test_failures_in_a_range_leave_no_hole_once_they_are_over(seed: int, share: float) -> None:
    world = ClusterWorld(seed)
    pick = random.Random(seed)  # noqa: S311 - no secret
    deployment = ClusterDeployment(world.api(), world.audit)
    deployment.api.fails = lambda _cluster, _page: pick.random() < share
    deployment.load(*DAYS)
    undisturbed = loaded(world).rows()
    assert keys(deployment.rows()) <= keys(undisturbed)
    deployment.api.fails = lambda _cluster, _page: False
    deployment.mend(now=datetime(2024, 5, 22, tzinfo=UTC))
    assert deployment.rows().equals(undisturbed)


@WORLDS
@given(seeds)
def test_what_the_api_forgets_stays_and_is_not_asked_for_again_and_again(seed: int) -> None:
    world = ClusterWorld(seed)
    deployment = loaded(world)
    before = deployment.rows()
    long_after = datetime(2024, 7, 20, tzinfo=UTC)
    deployment.load(*DAYS, now=long_after)
    assert deployment.rows().equals(before)
    asked = len(deployment.api.asked)
    deployment.mend(now=long_after)
    assert len(deployment.api.asked) == asked
