"""Commands before the first run: write a configuration, take one over, check it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click

from overwatch_assets.command_line.options import (
    CONFIG,
    FILE,
    FORCE,
    JSON,
    USAGE,
    WORKSPACES,
    console,
)
from overwatch_assets.config import config_path, load_config


@click.command()
@click.option(
    "--config",
    "config_file",
    type=FILE,
    default=None,
    help="File to write; else OVERWATCH_CONFIG, else overwatch.yaml here.",
)
@click.option("--storage", default="overwatch_tables", show_default=True, help="Folder or URL.")
@click.option("--workspace-id", required=True, help="The number after o= in its URL.")
@click.option("--workspace-name", required=True, help="Its name, as rows show it.")
@click.option("--cloud", type=click.Choice(["aws", "azure", "gcp"]), default="aws")
@click.option("--timezone", default="UTC", show_default=True, help="Zone that divides the days.")
@click.option("--audit-logs", help="Folder or URL that holds the date= folders.")
@click.option("--spark-logs", multiple=True, help="Folder or URL of Spark event logs.")
@FORCE
def init(
    config_file: Path | None,
    storage: str,
    workspace_id: str,
    workspace_name: str,
    cloud: Literal["aws", "azure", "gcp"],
    timezone: str,
    audit_logs: str | None,
    spark_logs: tuple[str, ...],
    *,
    force: bool,
) -> None:
    """Write a commented configuration; its first day is 60 days ago and stays so."""
    from overwatch_assets.scaffold import FirstWorkspace, write_config

    workspace = FirstWorkspace(workspace_id, workspace_name, cloud, audit_logs, spark_logs)
    written = write_config(
        config_file or config_path(),
        workspace,
        storage_root=storage,
        timezone=timezone,
        force=force,
    )
    click.echo(f"{written.path} written; the first day is {written.first_day}.")
    click.echo("Next: complete it, then `overwatch validate`, then")
    click.echo(f"  {written.next_command}")


@click.group()
def config() -> None:
    """The configuration file."""


@config.command("import")
@click.argument("deployment_csv", type=FILE)
@click.option(
    "--to",
    "target",
    type=FILE,
    default=None,
    help="File to write; else OVERWATCH_CONFIG, else overwatch.yaml here.",
)
@FORCE
@JSON
def config_import(deployment_csv: Path, target: Path | None, *, force: bool, as_json: bool) -> int:
    """Make a configuration of Overwatch's deployment CSV, and tell what became of each column."""
    from overwatch_assets.operations.config_import import import_csv, show_import

    imported = import_csv(deployment_csv, target or config_path(), force=force)
    if as_json:
        click.echo(imported.as_json())
    else:
        show_import(console(), imported)
    return USAGE if imported.problems else 0


@click.command()
@CONFIG
@WORKSPACES
@click.option("--logs", "with_logs", is_flag=True, help="Also find the event logs of each cluster.")
@JSON
def validate(
    config_file: Path | None, workspaces: Sequence[str], *, with_logs: bool, as_json: bool
) -> int:
    """Check storage, secrets, API, audit log and event logs before the first run."""
    from overwatch_assets.operations.validate import validate as checked
    from overwatch_assets.operations.validation import showing

    screen = console(stderr=as_json)
    config = load_config(config_file)
    asked = [config.workspace(each) for each in workspaces] or config.workspaces
    with showing.watching(screen, config, with_logs=with_logs) as watch:
        report = checked(config, asked, with_logs=with_logs, watch=watch)
    if as_json:
        click.echo(showing.validation_json(report))
    else:
        showing.show_validation(screen, config, report)
    return report.exit_code
