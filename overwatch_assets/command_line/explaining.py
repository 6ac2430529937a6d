"""Commands that tell how a number came about."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from overwatch_assets.command_line.options import CONFIG, DAY, JSON, WORKSPACES
from overwatch_assets.config import load_config


@click.group()
def explain() -> None:
    """How a number came about, down to the audit record."""


@explain.command("run")
@CONFIG
@click.argument("run_id", type=int)
@WORKSPACES
@JSON
def explain_run(
    config_file: Path | None, run_id: int, workspaces: Sequence[str], *, as_json: bool
) -> None:
    """What a job run cost: its share of each state of its cluster."""
    from overwatch_assets.operations.explain import explained, run

    told = run.explain_run(load_config(config_file), run_id, workspaces)
    click.echo(explained.as_json(told) if as_json else explained.as_text(told))


@explain.command("cluster")
@CONFIG
@click.argument("cluster_id")
@click.option("--day", type=DAY, required=True, help="Day in the configured time zone.")
@WORKSPACES
@JSON
def explain_cluster(
    config_file: Path | None,
    cluster_id: str,
    day: datetime,
    workspaces: Sequence[str],
    *,
    as_json: bool,
) -> None:
    """What a cluster cost on a day: its states, prices and events."""
    from overwatch_assets.operations.explain import cluster, explained

    told = cluster.explain_cluster(load_config(config_file), cluster_id, day.date(), workspaces)
    click.echo(explained.as_json(told) if as_json else explained.as_text(told))
