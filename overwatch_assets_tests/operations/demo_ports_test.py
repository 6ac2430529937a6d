"""Where the demo's workspaces are reached."""

import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from overwatch_assets.demo.write import write_demo
from overwatch_assets.operations import demo


def test_the_workspaces_ports_follow_each_other_also_where_the_first_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that `overwatch emulator` finds all of them by the first."""
    made = write_demo(tmp_path / "logs", days=1, scale=0.01, spark_logs=False)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        first = taken.getsockname()[1]
        monkeypatch.setattr(demo, "PORTS", range(first, first + 200, 10))
        with demo.served(tmp_path, made) as emulator:
            addresses = [
                emulator.address(each.workspace.workspace_id) for each in made.world.workspaces
            ]
    ports = [urlsplit(address).port or 0 for address in addresses]
    assert ports == list(range(ports[0], ports[0] + len(ports)))
    assert ports[0] > first
