from datetime import date
from itertools import islice, pairwise

import pytest

from overwatch_assets.demo.company import found_company
from overwatch_assets.demo.simulation import simulate
from overwatch_assets.demo.world import World
from overwatch_assets_tests.demo.compute_reading import named, truth_of

FIRST_DAY = date(2026, 10, 5)
LAB = "tidewater-lab"


def made(scale: float) -> World:
    return simulate(seed=9, first_day=FIRST_DAY, days=1, scale=scale, spark_logs=False)


def test_actions_are_read_in_the_order_of_time_and_alike_each_time() -> None:
    actions = named(made(2.0), LAB).actions
    once = list(actions)
    assert once == list(actions)
    assert all(before.at_ms <= after.at_ms for before, after in pairwise(once))


def test_a_scale_multiplies_the_fleet_and_leaves_the_rest_as_it_was() -> None:
    small, large = made(1.0), made(6.0)
    few, many = (truth_of(each, LAB) for each in (small, large))
    added = many["clusters"].keys() - few["clusters"].keys()
    assert all(
        many["clusters"][each] == said
        for each, said in few["clusters"].items()
        if not said["name"].startswith("fleet")
    )
    assert {many["clusters"][each]["sku"] for each in added} == {"automated"}
    fleet = [
        sum(run["name"].startswith("fleet_") for run in each["runs"].values())
        for each in (few, many)
    ]
    assert fleet[1] > 5 * fleet[0] > 0


def test_a_large_world_is_read_from_its_beginning_without_being_made_first() -> None:
    world = simulate(seed=9, first_day=FIRST_DAY, days=5, scale=60.0, spark_logs=False)
    assert len(world.company.workspaces) == len(found_company(9, FIRST_DAY, 1.0).workspaces)
    first = list(islice(named(world, LAB).actions, 500))
    assert first[0].at_ms >= world.since_ms


def test_each_run_has_its_requests_start_and_end(world: World) -> None:
    truth = truth_of(world, "tidewater-shops")
    fleet = [run for run in truth["runs"].values() if run["name"].startswith("fleet_own")]
    assert fleet
    for run in fleet:
        [task] = run["tasks"]
        cluster = truth["clusters"][task["cluster_id"]]
        assert task["started_ms"] > cluster["states"][0]["start_ms"]
        assert task["total_usd"] > 0
        assert cluster["name"].endswith("-main")


@pytest.mark.parametrize("scale", [0.2, 1.0])
def test_there_is_a_fleet_at_every_scale(scale: float) -> None:
    for each in made(scale).workspaces:
        names = {job.name for job in each.compute.jobs()}
        assert {"fleet_own_0", "fleet_hosted_0"} <= names
