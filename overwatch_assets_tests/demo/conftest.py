import pytest

from overwatch_assets.demo.write import DemoWorkspace, DemoWorld, write_demo


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoWorld:
    """A small demo of three days, written once; tests only read it."""
    return write_demo(tmp_path_factory.mktemp("demo"), days=3, scale=0.3)


@pytest.fixture(params=["tidewater-prod", "tidewater-lab"])
def workspace(request: pytest.FixtureRequest, demo: DemoWorld) -> DemoWorkspace:
    """Each of its workspaces in turn."""
    return next(each for each in demo.workspaces if each.name == request.param)
