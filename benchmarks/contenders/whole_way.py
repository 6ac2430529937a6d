"""This project's whole way: log, bronze, silver and gold, all Delta, through Dagster.

As `overwatch run` does it, for every module and every day of the log.
"""

import json
import sys
from datetime import date
from pathlib import Path

from rich.console import Console

from overwatch_assets.config import load_config
from overwatch_assets.operations.plan import Selection
from overwatch_assets.operations.session import Session


def main(folder: Path, logs: Path, first: date, last: date) -> int:
    """Load the logs of a folder into tables below another; returns how many tables failed."""
    config = folder / "overwatch.yaml"
    config.write_text(configuration(folder, logs, first))
    console = Console()
    session = Session(load_config(config), console)
    report = session.load(session.plan(Selection(), (), first, last))
    for each in report.failed:
        console.print(each)
    return len(report.failed)


def configuration(folder: Path, logs: Path, first: date) -> str:
    """JSON, which is YAML too."""
    workspace = {
        "workspace_id": "1",
        "workspace_name": "benchmark",
        "cloud": "aws",
        "primordial_date": first.isoformat(),
        "spark_event_logs": {"folders": [str(logs)]},
    }
    return json.dumps(
        {
            "storage": {"root": str(folder)},
            "dagster_home": str(folder / "dagster"),
            "workspaces": [workspace],
        }
    )


if __name__ == "__main__":
    FOLDER, LOGS, FIRST, LAST = sys.argv[1:]
    first_day, last_day = date.fromisoformat(FIRST), date.fromisoformat(LAST)
    sys.exit(main(Path(FOLDER), Path(LOGS), first_day, last_day))
