import os
import re
import shlex
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from overwatch_assets.demo.emulator.server import Emulator
from overwatch_assets.errors import ConfigError
from overwatch_assets.operations.emulator import serve_emulator
from overwatch_assets_tests.demo.emulator.literal import CREDENTIALS, ORG, LiteralWorkspace

SERVE = """
import sys
from pathlib import Path
from rich.console import Console
from overwatch_assets.operations.emulator import serve_emulator
from overwatch_assets_tests.demo.emulator.literal import LiteralWorkspace

workspace = LiteralWorkspace(clusters_given=[{"cluster_id": "c-1", "start_time": 1}])
serve_emulator([workspace], Path(sys.argv[1]), Console(), account_id="a-1")
"""


def test_what_it_prints_can_be_tried_as_it_stands(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-W", "error", "-c", SERVE, str(tmp_path)]
    with subprocess.Popen(
        command,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as server:
        assert server.stdout is not None
        said: list[str] = []
        while not said or not said[-1].startswith("Ctrl+C"):
            said.append(server.stdout.readline())
            assert said[-1], "the server ended before it told everything"
        to_try = "".join(said).partition("to try:\n")[2].partition("\n\n")[0]
        python = f"PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH"
        tried = subprocess.run(
            ["bash", "-ec", f"export {python}\n{to_try}"],  # noqa: S607 - the machine's bash
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        server.send_signal(signal.SIGINT)
        server.wait(timeout=30)
    assert "cluster_id='c-1'" in tried.stdout, tried.stderr
    secret_file = tmp_path / "client-secret"
    assert stat.S_IMODE(secret_file.stat().st_mode) == 0o600
    assert secret_file.read_text() not in "".join(said)
    assert f"client_secret: file:{secret_file}" in "".join(said)


def test_the_secret_is_kept_and_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    (tmp_path / "client-secret").write_text("kept")
    console = Console(file=(tmp_path / "said").open("w"))
    with Emulator([LiteralWorkspace()], CREDENTIALS) as emulator:
        [port] = re.findall(r":(\d+)$", emulator.address(ORG))
        with pytest.raises(ConfigError, match=f"port {port}"):
            serve_emulator([LiteralWorkspace()], tmp_path, console, account_id="a", port=int(port))
    console.file.close()
    assert (tmp_path / "client-secret").read_text() == "kept"
