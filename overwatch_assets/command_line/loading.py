"""Commands that load days, and show how they are loaded."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from overwatch_assets.command_line.options import (
    CONFIG,
    DAY,
    FAILED,
    INTERRUPTED,
    JSON,
    UNREACHABLE,
    WORKSPACES,
    console,
    day_of,
    listed,
)
from overwatch_assets.config import load_config


@click.command()
@CONFIG
@WORKSPACES
@click.option("--from", "first", type=DAY, help="First day; else each workspace's first.")
@click.option("--to", "last", type=DAY, help="Last day; else yesterday.")
@click.option("--modules", default="", help="Module ids or tables, separated by commas.")
@click.option("--scopes", default="", help="Scopes, separated by commas.")
@click.option("--layers", default="", help="bronze, silver, gold, separated by commas.")
@click.option("--plan", "is_plan", is_flag=True, help="Show what would be loaded, and stop.")
@JSON
def run(
    config_file: Path | None,
    workspaces: Sequence[str],
    first: datetime | None,
    last: datetime | None,
    modules: str,
    scopes: str,
    layers: str,
    *,
    is_plan: bool,
    as_json: bool,
) -> int:
    """Load days; later days are redone where something they read changed."""
    from overwatch_assets.operations import showing
    from overwatch_assets.operations.plan import Selection
    from overwatch_assets.operations.session import Session

    screen = console(stderr=as_json)
    session = Session(load_config(config_file), screen)
    selection = Selection(listed(modules), listed(scopes), listed(layers))
    plan = session.plan(selection, workspaces, day_of(first), day_of(last))
    if is_plan and as_json:
        click.echo(json.dumps(plan.as_rows(), indent=2))
        return 0
    showing.show_plan(screen, plan)
    if is_plan:
        return 0
    report = session.load(plan)
    if as_json:
        click.echo(showing.report_json(report))
    showing.show_report(screen, session.config, report)
    if report.is_stopped:
        return INTERRUPTED
    if any(result.is_source for result in report.failed):
        return UNREACHABLE
    return FAILED if report.failed else 0


@click.command()
@CONFIG
@click.option("--port", default=3000, show_default=True, help="Port on 127.0.0.1.")
def ui(config_file: Path | None, port: int) -> int:
    """Open Dagster for the deployment: web server and daemon on this machine."""
    from overwatch_assets.operations.ui import serve

    return serve(load_config(config_file), port)
