from datetime import date

import pytest

from overwatch_assets.demo.compute_truth import compute_truth
from overwatch_assets.demo.simulation import simulate
from overwatch_assets.demo.world import WorkspaceWorld, World
from overwatch_assets.demo.write import DemoWorkspace, DemoWorld, write_demo
from overwatch_assets_tests.demo.compute_reading import Said


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoWorld:
    """A small demo of three days, written once; tests only read it."""
    return write_demo(tmp_path_factory.mktemp("demo"), days=3, scale=0.3)


@pytest.fixture(params=["tidewater-prod", "tidewater-lab"])
def workspace(request: pytest.FixtureRequest, demo: DemoWorld) -> DemoWorkspace:
    """Each of its larger workspaces in turn."""
    return next(each for each in demo.workspaces if each.name == request.param)


@pytest.fixture(scope="session")
def world() -> World:
    """The world of `overwatch demo`, played but not written."""
    return simulate(seed=7, first_day=date(2026, 10, 5), days=4, scale=1.0)


@pytest.fixture(params=["tidewater-prod", "tidewater-lab"])
def played(request: pytest.FixtureRequest, world: World) -> WorkspaceWorld:
    """Each of its workspaces in turn."""
    return next(each for each in world.workspaces if each.workspace.name == request.param)


@pytest.fixture(scope="session")
def truths(world: World) -> dict[str, Said]:
    """The truth about each workspace's compute, by its name."""
    return {
        each.workspace.name: compute_truth(each.compute, world.since_ms, world.until_ms)
        for each in world.workspaces
    }
