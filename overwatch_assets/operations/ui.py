"""Dagster's web server and daemon for a deployment, on this machine only."""

import os
import subprocess
import sys
from pathlib import Path

from overwatch_assets.config import FILE_VARIABLE, Config
from overwatch_assets.operations.dagster_home import open_instance
from overwatch_assets.operations.reaper import reap

# Dagster recommends another command to people who type this one; nobody does here.
_UNTYPED = "ignore:Function `dev_command` is superseded"


def serve(config: Config, port: int) -> int:
    """Run web server and daemon until they are stopped; returns their exit code."""
    with open_instance(config.dagster_home) as instance:
        reap(instance)
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(config.dagster_home),
        "PYTHONWARNINGS": ",".join(filter(None, (os.environ.get("PYTHONWARNINGS"), _UNTYPED))),
        FILE_VARIABLE: str(Path(config.path).absolute()),
    }
    module = ["-m", "overwatch_assets.definitions", "--host", "127.0.0.1", "--port", str(port)]
    command = [sys.executable, "-m", "dagster", "dev", *module]
    return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603 - our own
