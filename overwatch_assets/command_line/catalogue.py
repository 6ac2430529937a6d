"""Commands that tell what there is: tables, views, prices."""

import json
from collections.abc import Sequence
from pathlib import Path

import click

from overwatch_assets.command_line.options import CONFIG, JSON, USAGE, WORKSPACES
from overwatch_assets.config import load_config


@click.command()
@JSON
def modules(*, as_json: bool) -> None:
    """The tables: id, what they hold, what they are made from."""
    from overwatch_assets.operations.catalogue import modules_catalogue, modules_table

    click.echo(json.dumps(modules_catalogue(), indent=2) if as_json else modules_table())


@click.command()
@JSON
def views(*, as_json: bool) -> None:
    """The consumer views: what to query."""
    from overwatch_assets.operations.catalogue import views_catalogue

    catalogue = views_catalogue()
    if as_json:
        click.echo(json.dumps(catalogue, indent=2))
        return
    width = max(len(each["name"]) for each in catalogue) + 2
    for each in catalogue:
        click.echo(f"{each['name']:<{width}}{each['doc'].partition(chr(10))[0]}")


@click.command()
@CONFIG
@WORKSPACES
@click.option("--check", "is_check", is_flag=True, help="Only say what is wrong with the files.")
@JSON
def prices(
    config_file: Path | None, workspaces: Sequence[str], *, is_check: bool, as_json: bool
) -> int:
    """The prices in force, and where each comes from."""
    from overwatch_assets.operations import prices

    shown = prices.prices_of(load_config(config_file), workspaces)
    if as_json:
        click.echo(prices.as_json(shown))
    elif is_check:
        click.echo(prices.as_report(shown))
    else:
        click.echo(prices.as_text(shown))
    return USAGE if any(each.is_refused for each in shown) else 0
