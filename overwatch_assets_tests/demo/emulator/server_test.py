import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest
import requests
from databricks.sdk.errors import InternalError

from overwatch_assets.demo.emulator.server import HOST, Clock, Emulator
from overwatch_assets.errors import ConfigError
from overwatch_assets_tests.demo.emulator.literal import (
    CREDENTIALS,
    ORG,
    OTHER,
    PAT,
    Json,
    LiteralWorkspace,
)
from overwatch_assets_tests.demo.emulator.sdk import client

CLUSTERS = "/api/2.1/clusters/list"
BEARER = {"Authorization": f"Bearer {PAT}"}

IN_FRONT = """
from overwatch_assets.demo.emulator.server import Emulator
from overwatch_assets_tests.demo.emulator.literal import CREDENTIALS, ORG, LiteralWorkspace

emulator = Emulator([LiteralWorkspace()], CREDENTIALS)
print(emulator.address(ORG), flush=True)
emulator.serve()
"""


def test_in_front_it_serves_until_it_is_interrupted() -> None:
    arguments: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-W", "error", "-c", IN_FRONT]
    with subprocess.Popen(command, env=environment, **arguments) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        answer = requests.get(f"{address}{CLUSTERS}", headers=BEARER, timeout=30)
        process.terminate()
        _, said = process.communicate(timeout=30)
    assert (answer.status_code, said, process.returncode) == (200, "", -15)


def test_after_its_end_nobody_answers_and_the_port_is_free() -> None:
    with Emulator([LiteralWorkspace()], CREDENTIALS) as emulator:
        address = emulator.address(ORG)
        with requests.Session() as session:
            assert session.get(f"{address}{CLUSTERS}", headers=BEARER, timeout=10).ok
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{address}{CLUSTERS}", headers=BEARER, timeout=10)
    port = int(address.rsplit(":", 1)[1])
    with Emulator([LiteralWorkspace()], CREDENTIALS, port=port) as emulator:
        assert emulator.address(ORG) == address


def test_a_port_that_is_taken_is_told_by_its_number() -> None:
    with Emulator([LiteralWorkspace()], CREDENTIALS) as emulator:
        port = int(emulator.address(ORG).rsplit(":", 1)[1])
        with pytest.raises(ConfigError, match=f"port {port} of 127"):
            Emulator([LiteralWorkspace()], CREDENTIALS, port=port)


def neighbouring_free_ports() -> int:
    """The first of two free ports, below those the system hands out to others meanwhile."""
    for first in range(20_000 + os.getpid() % 5_000 * 2, 32_000, 2):
        with socket.socket() as one, socket.socket() as two:
            if one.connect_ex((HOST, first)) and two.connect_ex((HOST, first + 1)):
                return first
    raise AssertionError("no two neighbouring ports are free")


def test_workspaces_follow_the_first_ones_port() -> None:
    first = neighbouring_free_ports()
    both = [LiteralWorkspace(ORG), LiteralWorkspace(OTHER)]
    with Emulator(both, CREDENTIALS, port=first) as emulator:
        assert emulator.address(OTHER) == f"http://127.0.0.1:{first + 1}"


def test_the_clock_goes_until_it_is_set() -> None:
    clock = Clock()
    before = clock()
    clock.now_ms = 7
    assert (before > 1_700_000_000_000, clock()) == (True, 7)


class Broken(LiteralWorkspace):
    def clusters(self, now_ms: int) -> Sequence[Json]:
        raise KeyError(now_ms)


def test_a_failure_of_the_emulator_itself_is_raised_at_its_end() -> None:
    with (
        pytest.raises(ExceptionGroup, match="the emulator failed") as raised,
        Emulator([Broken()], CREDENTIALS, clock=Clock(7)) as emulator,
        pytest.raises(InternalError),
    ):
        list(client(emulator).clusters.list())
    assert repr(raised.value.exceptions) == "(KeyError(7),)"
