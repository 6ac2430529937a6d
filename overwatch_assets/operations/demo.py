"""The demo: three made-up workspaces, loaded through Dagster, and what there is to see."""

from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.table import Table as Grid

from overwatch_assets.config import Config, load_config
from overwatch_assets.demo.company import LOG_MOUNT
from overwatch_assets.demo.emulated import emulated_workspaces
from overwatch_assets.demo.emulator.server import Clock, Emulator
from overwatch_assets.demo.setup import LOGS, Reached, demo_config_text
from overwatch_assets.demo.write import DemoWorld, write_demo
from overwatch_assets.errors import ConfigError
from overwatch_assets.operations import showing
from overwatch_assets.operations.demo_summary import DEAREST_RUN, SHOWN
from overwatch_assets.operations.emulator import credentials_in, seen_ms
from overwatch_assets.operations.plan import Selection
from overwatch_assets.operations.query import answer
from overwatch_assets.operations.session import Session

PORTS = range(41207, 41407, 10)
"""Of the first workspace's API, the others follow it: the first of these where all are free."""

TEXT_WIDTH = 36


def run_demo(folder: Path, seed: int, console: Console) -> int:
    """Make the demo, load it, show it; returns the exit code.

    Raises:
        ConfigError: The folder holds something else.
    """
    with console.status("making up three workspaces"):
        demo = write_demo(folder / LOGS, seed=seed)
    seen = datetime.fromtimestamp(seen_ms(demo.world) / 1000, UTC)
    with served(folder, demo) as emulator:
        config = _config(folder, seed, demo, emulator)
        session = Session(config, console, clock=partial(_always, seen))
        report = session.load(session.plan(Selection()))
    showing.show_report(console, config, report)
    if report.failed or report.is_stopped:
        return 1
    for title, statement in SHOWN.items():
        _show(console, title, answer(config, statement, None))
    _show_next(console, folder, config, demo)
    return 0


def _always(instant: datetime) -> datetime:
    """A clock that stands still."""
    return instant


def served(folder: Path, demo: DemoWorld) -> Emulator:
    """The demo's workspaces behind their API, as they are seen the morning after.

    Raises:
        ConfigError: No port is free.
    """
    workspaces = emulated_workspaces(demo.world, demo.log_mounts[LOG_MOUNT])
    _, credentials = credentials_in(folder)
    clock = Clock(seen_ms(demo.world))
    account_id = demo.world.company.account_id
    serve = partial(Emulator, workspaces, credentials, clock=clock, account_id=account_id)
    for port in PORTS[:-1]:
        with suppress(ConfigError):
            return serve(port=port)
    return serve(port=PORTS[-1])


def _config(folder: Path, seed: int, demo: DemoWorld, emulator: Emulator) -> Config:
    reached = {
        each.workspace.workspace_id: Reached(
            emulator.address(each.workspace.workspace_id),
            each.estate.warehouses[0].warehouse_id,
        )
        for each in demo.world.workspaces
    }
    path = folder / "overwatch.yaml"
    path.write_text(demo_config_text(seed, reached), encoding="utf-8")
    return load_config(path)


def _show(console: Console, title: str, rows: pl.DataFrame) -> None:
    grid = Grid(box=None, pad_edge=False)
    for name, dtype in rows.schema.items():
        if dtype.is_numeric():
            grid.add_column(name, justify="right", no_wrap=True)
        else:
            grid.add_column(name, max_width=TEXT_WIDTH, overflow="ellipsis", no_wrap=True)
    for row in rows.iter_rows():
        grid.add_row(*("" if value is None else str(value) for value in row))
    console.print(f"\n{title}", style="bold")
    console.print(grid)


def _show_next(console: Console, folder: Path, config: Config, demo: DemoWorld) -> None:
    run_id = answer(config, DEAREST_RUN, None).item()
    commands = (
        "overwatch views",
        f'overwatch sql --config {config.path} "from jobRunCostDaily limit 5"',
        f"overwatch explain run {run_id} --config {config.path}",
        f"overwatch ui --config {config.path}",
        f"overwatch emulator --folder {folder}     # the workspaces' API, for what loads again:",
        f"overwatch run --config {config.path} --from {demo.last_day} --to {demo.last_day}",
    )
    console.print("\nNext:", style="bold")
    for command in commands:
        console.print(f"  {command}", highlight=False, soft_wrap=True)
