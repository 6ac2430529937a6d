"""Commands that ask the tables: SQL, costs, what a reload changed."""

import json
from datetime import datetime
from pathlib import Path

import click

from overwatch_assets.command_line.options import (
    CONFIG,
    DAY,
    JSON,
    SHOWN_WORKSPACES,
    day_of,
    listed,
)
from overwatch_assets.config import load_config


@click.command()
@CONFIG
@click.argument("statement")
@click.option("--as-of", type=DAY, help="The views as they stood at the end of that day.")
@SHOWN_WORKSPACES
@JSON
def sql(
    config_file: Path | None,
    statement: str,
    as_of: datetime | None,
    workspaces: str,
    *,
    as_json: bool,
) -> None:
    """Run SQL over the consumer views; the tables below them are in the schema etl."""
    from overwatch_assets.operations.query import answer, as_text

    rows = answer(load_config(config_file), statement, day_of(as_of), listed(workspaces))
    click.echo(rows.write_json() if as_json else as_text(rows))


@click.command()
@CONFIG
@click.option(
    "--dialect", type=click.Choice(["databricks", "duckdb"]), required=True, help="Whose SQL."
)
@SHOWN_WORKSPACES
@click.option("--catalog", default="", help="Catalog of both schemas (Databricks).")
@click.option("--schema", "main", default="", help="Schema of the views; else overwatch.")
@click.option("--etl-schema", "etl", default="", help="Of the tables; else overwatch_etl.")
def ddl(
    config_file: Path | None, dialect: str, workspaces: str, catalog: str, main: str, etl: str
) -> None:
    """Print SQL that creates the consumer views in Databricks or DuckDB."""
    from overwatch_assets.operations.publishing import statements
    from overwatch_assets.sql_dialect import DATABRICKS, DIALECTS

    is_databricks = dialect == DATABRICKS.name
    schemas = (main or "overwatch", etl or "overwatch_etl") if is_databricks else (main, etl)
    above = (catalog,) if catalog else ()
    named = [(*above, schema) if schema else () for schema in schemas]
    told = statements(
        load_config(config_file),
        DIALECTS[dialect],
        listed(workspaces),
        main=named[0],
        etl=named[1] or ("etl",),
    )
    for statement in told:
        click.echo(statement if statement.startswith("--") else f"{statement};")


@click.command()
@CONFIG
@click.option("--window", default="7d", show_default=True, help="7d, or 2026-10-05..2026-10-11.")
@click.option("--by", default="", help="workspace, cluster, job, user, tag, tag:KEY, with commas.")
@click.option("--step", type=click.Choice(["day", "week", "month", "window"]), default="window")
@click.option(
    "--idle",
    type=click.Choice(["separate", "share", "hide"]),
    default="separate",
    show_default=True,
    help="What no run bears: rows of its own, borne by the runs beside it, or one row.",
)
@SHOWN_WORKSPACES
@JSON
def cost(
    config_file: Path | None,
    window: str,
    by: str,
    step: str,
    idle: str,
    workspaces: str,
    *,
    as_json: bool,
) -> None:
    """What clusters cost, by what it was spent on; one total, however it is cut."""
    from overwatch_assets.costs import costs
    from overwatch_assets.operations.query import as_text

    rows = costs(
        load_config(config_file),
        window=window,
        by=listed(by),
        step=step,
        idle=idle,
        workspaces=listed(workspaces),
    )
    if as_json:
        click.echo(rows.write_json())
        return
    click.echo(as_text(rows))
    unknown = rows["unknown_rows"].sum()
    beside = f", {unknown} amounts beneath are not known" if unknown else ""
    click.echo(f"total {rows['total_cost'].sum():,.2f} USD{beside}")


@click.command()
@CONFIG
@click.argument("table")
@click.option("--day", type=DAY, required=True, help="Day, as partition_date.")
@click.option("--from", "before", type=int, required=True, help="Delta version before.")
@click.option("--to", "after", type=int, default=None, help="Delta version after; else the newest.")
@SHOWN_WORKSPACES
@JSON
def diff(
    config_file: Path | None,
    table: str,
    day: datetime,
    before: int,
    after: int | None,
    workspaces: str,
    *,
    as_json: bool,
) -> None:
    """What changed in a day of a table: rows by key, and the money that moved."""
    from overwatch_assets.operations.query import as_text
    from overwatch_assets.operations.table_diff import diff_day

    config = load_config(config_file)
    of = listed(workspaces)
    found = diff_day(config, table, day.date(), before, after, workspaces=of)
    if as_json:
        parts = {"rows": found.rows, "money": found.money}
        told = {name: json.loads(part.write_json()) for name, part in parts.items()}
        click.echo(json.dumps({"counts": found.counts, **told}, indent=2))
        return
    click.echo(", ".join(f"{count:,} {what}" for what, count in found.counts.items()))
    for part in (found.rows, found.money):
        if part.height:
            click.echo(f"\n{as_text(part)}")
