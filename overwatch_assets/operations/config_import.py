"""`overwatch config import`: writes the configuration and tells what became of each column."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table as Grid

from overwatch_assets.config import config_of
from overwatch_assets.configuration.document import parse_document
from overwatch_assets.deployment_csv import Fate, Import, import_deployment
from overwatch_assets.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Imported:
    """What was written.

    Attributes:
        problems: Why the configuration does not load as it is; blank: it does.
    """

    path: Path
    made: Import
    problems: str

    def as_json(self) -> str:
        """The report for machines."""
        notes = [asdict(note) for note in self.made.notes]
        return json.dumps(
            {"path": str(self.path), "columns": notes, "problems": self.problems or None}, indent=2
        )


def import_csv(source: Path, target: Path, *, force: bool) -> Imported:
    """Write the configuration that a deployment CSV amounts to.

    Raises:
        ConfigError: The CSV can't be used, or the target exists and may not be replaced.
    """
    made = import_deployment(source, _read(source), _readable)
    if target.exists() and not force:
        message = f"{target} exists; write another file with --to, or replace it with --force"
        raise ConfigError(message)
    problems = ""
    try:
        config_of(parse_document(target, made.text.encode()), now=datetime.now(UTC))
    except ConfigError as error:
        problems = str(error)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(made.text, encoding="utf-8")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        message = f"{target}: the file can't be written: {reason}"
        raise ConfigError(message) from None
    return Imported(target, made, problems)


def show_import(console: Console, imported: Imported) -> None:
    """What became of each column, what is open first."""
    order = (Fate.DECIDE, Fate.MAPPED, Fate.OBSOLETE)
    for fate in order:
        notes = [note for note in imported.made.notes if note.fate is fate]
        if not notes:
            continue
        grid = Grid("workspace", "column", "", box=None, pad_edge=False, header_style="bold")
        for note in notes:
            grid.add_row(note.workspace, note.column, note.text)
        console.print(f"\n{fate} ({len(notes)})", style="bold")
        console.print(grid)
    if imported.problems:
        console.print(f"\n{imported.problems}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"\n{imported.path} written", highlight=False)


def _read(path: Path) -> bytes:
    content = _readable(str(path))
    if content is None:
        message = f"{path}: the file can't be read; name Overwatch's deployment CSV"
        raise ConfigError(message)
    return content


def _readable(path: str) -> bytes | None:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError):
        return None
