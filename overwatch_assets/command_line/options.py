"""What several commands have in common: options, exit codes, and the console they print on."""

from datetime import date, datetime
from pathlib import Path

import click
from rich.console import Console

FAILED, USAGE, UNREACHABLE, INTERRUPTED = 1, 2, 3, 130

FILE = click.Path(path_type=Path)
DAY = click.DateTime(["%Y-%m-%d"])
LINE_WIDTH = 120

CONFIG = click.option(
    "--config",
    "config_file",
    type=FILE,
    help="Configuration file; else OVERWATCH_CONFIG, else overwatch.yaml here.",
)
WORKSPACES = click.option("--workspace", "workspaces", multiple=True, help="Id or name; else all.")
SHOWN_WORKSPACES = click.option(
    "--workspaces", default="", help="Ids or names, separated by commas; else all."
)
JSON = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
FORCE = click.option("--force", is_flag=True, help="Replace a file that exists.")
SEED = click.option("--seed", default=7, show_default=True, help="Another seed is another company.")


def console(*, stderr: bool = False) -> Console:
    """As wide as the terminal; wide enough for a line per table where there is none."""
    own = Console(stderr=stderr)
    return own if own.is_terminal else Console(stderr=stderr, width=LINE_WIDTH)


def listed(text: str) -> tuple[str, ...]:
    """What an option names, separated by commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def day_of(instant: datetime | None) -> date | None:
    """The day of an option `DAY`, which may be left out."""
    return instant.date() if instant else None
