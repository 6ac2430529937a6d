"""Serves made-up workspaces to whoever wants to try the product against a REST API."""

import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console

from overwatch_assets.config import load_config
from overwatch_assets.demo.emulated import emulated_workspaces
from overwatch_assets.demo.emulator.credentials import Credentials
from overwatch_assets.demo.emulator.faults import Storm
from overwatch_assets.demo.emulator.server import Clock, Emulator
from overwatch_assets.demo.emulator.workspace import EmulatedWorkspace
from overwatch_assets.demo.setup import CLIENT_ID, LOGS, SECRET_FILE
from overwatch_assets.demo.simulation import simulate
from overwatch_assets.demo.world import World
from overwatch_assets.errors import ConfigError

TRY = 'from databricks.sdk import WorkspaceClient as W; print(*W().clusters.list(), sep="\\n")'


HOURS_AFTER = 6
"""How long after the end of its world a demo looks at it."""

MORE_THAN_LOGS = 1.0
"""Larger worlds are made without Spark logs, which nobody could wait for."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """The world that is served.

    Attributes:
        first_day: UTC day it begins with.
        scale: Multiplies what people and schedules do.
    """

    seed: int
    first_day: date
    days: int
    scale: float


def serve_world(
    folder: Path,
    console: Console,
    *,
    seed: int,
    days: int,
    scale: float,
    port: int,
    storm: Storm | None,
) -> None:
    """Serve the demo of a folder at the addresses that it is configured with, or another world.

    A world that is not a demo's ends with yesterday, and the emulator's clock is the machine's.

    Args:
        folder: Of a demo; or of the client secret, where it holds no demo.
        console: Is told the addresses and what to try.
        seed: Of another world.
        days: How many it has.
        scale: 1.0 is a small company.
        port: Of its first workspace; 0: any.
        storm: Faults by chance.

    Raises:
        ConfigError: A port is taken, or the demo's folder is incomplete.
    """
    described = folder / LOGS / "demo.json"
    if described.exists():
        arguments = _described(described)
        world = _played(arguments)
        port = urlsplit(_host_of(folder / "overwatch.yaml")).port or 0
        clock = Clock(seen_ms(world))
        logs: Path | None = folder / LOGS / "cluster-logs"
    else:
        today = datetime.now(UTC).date()
        arguments = Arguments(seed, today - timedelta(days=days), days, scale)
        world, clock, logs = _played(arguments), None, None
    serve_emulator(
        emulated_workspaces(world, logs),
        folder,
        console,
        account_id=world.company.account_id,
        port=port,
        storm=storm,
        clock=clock,
    )


def seen_ms(world: World) -> int:
    """The instant at which a demo looks at its world: the morning after its end."""
    return world.until_ms + HOURS_AFTER * 3_600_000


def _played(arguments: Arguments) -> World:
    return simulate(
        seed=arguments.seed,
        first_day=arguments.first_day,
        days=arguments.days,
        scale=arguments.scale,
        spark_logs=arguments.scale <= MORE_THAN_LOGS,
    )


def _described(path: Path) -> Arguments:
    described = json.loads(path.read_text(encoding="utf-8"))
    made = described["arguments"]
    first_day = date.fromisoformat(described["first_day"])
    return Arguments(made["seed"], first_day, made["days"], made["scale"])


def _host_of(path: Path) -> str:
    """Address of the first workspace in the demo's configuration."""
    databricks = load_config(path).workspaces[0].databricks
    if databricks is None:
        message = f"{path}: no `databricks` is configured; run `overwatch demo` again"
        raise ConfigError(message)
    return databricks.host


def serve_emulator(
    workspaces: Sequence[EmulatedWorkspace],
    folder: Path,
    console: Console,
    *,
    account_id: str,
    port: int = 0,
    storm: Storm | None = None,
    clock: Clock | None = None,
) -> None:
    """Serve workspaces until the process is interrupted.

    Args:
        workspaces: With ids that differ.
        folder: Holds the client secret, which is made at the first start and kept.
        console: Is told the addresses and what to try.
        account_id: Of the account that the workspaces belong to.
        port: Of the first workspace, the others follow it; 0: any that are free.
        storm: Faults by chance.
        clock: The emulator's now; None: the machine's.

    Raises:
        ConfigError: A port is taken.
    """
    secret_file, credentials = credentials_in(folder)
    console.print("Playing the workspaces' days ...", highlight=False)
    emulator = Emulator(workspaces, credentials, clock=clock, port=port, account_id=account_id)
    emulator.faults.storm = storm
    rows = emulator.fill_audit_table()
    for each in workspaces:
        _show(console, each, emulator, secret_file)
    if storm is not None:
        console.print(f"Faults by chance: {storm}", highlight=False, soft_wrap=True)
    console.print(f"system.access.audit has {rows:,} rows.", highlight=False)
    console.print("Ctrl+C ends it.")
    emulator.serve()


def credentials_in(folder: Path) -> tuple[Path, Credentials]:
    """The file of the client secret in a folder, made if it is missing, and who may ask by it."""
    secret_file = _secret_file(folder)
    return secret_file, Credentials({CLIENT_ID: secret_file.read_text(encoding="utf-8")})


def _secret_file(folder: Path) -> Path:
    """The file of the client secret, which nobody else on the machine can read."""
    path = folder.absolute() / SECRET_FILE
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8") as file:
            file.write(secrets.token_hex(32))
    return path


def _show(
    console: Console, workspace: EmulatedWorkspace, emulator: Emulator, secret_file: Path
) -> None:
    """What to write into a configuration, and what to try."""
    host = emulator.address(workspace.workspace_id)
    warehouses = workspace.warehouses(emulator.clock())
    lines = [
        f"workspace {workspace.workspace_id}",
        "  databricks:",
        f"    host: {host}",
        f"    client_id: {CLIENT_ID}",
        f"    client_secret: file:{secret_file}",
        *(f"  SQL warehouse {each['id']}" for each in warehouses[:1]),
        "  to try:",
        f"    export DATABRICKS_HOST={host} DATABRICKS_CLIENT_ID={CLIENT_ID}",
        f'    export DATABRICKS_CLIENT_SECRET="$(cat {secret_file})"',
        f"    python -c '{TRY}'",
        "",
    ]
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
