"""Serves made-up workspaces to whoever wants to try the product against a REST API."""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from overwatch_assets.demo.emulator.credentials import Credentials
from overwatch_assets.demo.emulator.faults import Storm
from overwatch_assets.demo.emulator.server import Clock, Emulator
from overwatch_assets.demo.emulator.workspace import EmulatedWorkspace

CLIENT_ID = "5f0c2d1e-0000-4000-8000-000000000001"
SECRET_FILE = "client-secret"  # noqa: S105 - a file's name
TRY = 'from databricks.sdk import WorkspaceClient as W; print(*W().clusters.list(), sep="\\n")'


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
    secret_file = _secret_file(folder)
    credentials = Credentials({CLIENT_ID: secret_file.read_text(encoding="utf-8")})
    emulator = Emulator(workspaces, credentials, clock=clock, port=port, account_id=account_id)
    emulator.faults.storm = storm
    for each in workspaces:
        _show(console, each, emulator, secret_file)
    if storm is not None:
        console.print(f"Faults by chance: {storm}", highlight=False, soft_wrap=True)
    console.print("Ctrl+C ends it.")
    emulator.serve()


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
