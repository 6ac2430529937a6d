"""The command line: parses arguments, makes one call into the package, prints what it returned.

Exit codes: 0 done, 1 a table failed, 2 usage or configuration, 3 a source could not be reached,
130 interrupted. A command imports what it needs, so that `--help` answers at once.
"""

import json
import sys
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Literal

import click
from rich.console import Console

from overwatch_assets.config import config_path, load_config
from overwatch_assets.errors import OverwatchError, SourceError

FAILED, USAGE, UNREACHABLE, INTERRUPTED = 1, 2, 3, 130

CONFIG = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    help="Configuration file; else OVERWATCH_CONFIG, else overwatch.yaml here.",
)
WORKSPACES = click.option("--workspace", "workspaces", multiple=True, help="Id or name; else all.")
SHOWN_WORKSPACES = click.option(
    "--workspaces", default="", help="Ids or names, separated by commas; else all."
)
JSON = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
LINE_WIDTH = 120
DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
@click.version_option(package_name="overwatch-assets")
def cli() -> None:
    """Databricks telemetry as Delta tables: who ran what, on which compute, at what cost."""


def main() -> None:
    """Run the command line; an error that a user can mend is one line and an exit code."""
    try:
        sys.exit(cli(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(USAGE)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
    except OverwatchError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(UNREACHABLE if isinstance(error, SourceError) else USAGE)


@cli.command()
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
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
@click.option("--force", is_flag=True, help="Replace a file that exists.")
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


@cli.group("config")
def config_group() -> None:
    """The configuration file."""


@config_group.command("import")
@click.argument("deployment_csv", type=click.Path(path_type=Path))
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path),
    default=None,
    help="File to write; else OVERWATCH_CONFIG, else overwatch.yaml here.",
)
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@JSON
def config_import(deployment_csv: Path, target: Path | None, *, force: bool, as_json: bool) -> int:
    """Make a configuration of Overwatch's deployment CSV, and tell what became of each column."""
    from overwatch_assets.operations.config_import import import_csv, show_import

    imported = import_csv(deployment_csv, target or config_path(), force=force)
    if as_json:
        click.echo(imported.as_json())
    else:
        show_import(_console(), imported)
    return USAGE if imported.problems else 0


@cli.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path("demo"),
    show_default=True,
    help="Where logs and tables of the made-up workspaces go.",
)
@click.option("--seed", default=7, show_default=True, help="Another seed is another company.")
def demo(folder: Path, seed: int) -> int:
    """Make up three workspaces, load them, and show what there is to see."""
    from overwatch_assets.operations.demo import run_demo

    return run_demo(folder, seed, _console())


@cli.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path("demo"),
    show_default=True,
    help="Of a demo, whose API is served; else the folder of the client secret.",
)
@click.option("--seed", default=7, show_default=True, help="Another seed is another company.")
@click.option("--days", type=click.IntRange(min=1), default=5, show_default=True)
@click.option(
    "--scale",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="How much people and schedules do; above 1 without Spark logs.",
)
@click.option("--port", default=0, help="Of the first workspace; else any that is free.")
@click.option("--faults", help="Faults by chance, such as throttled=0.05,reset=0.005.")
def emulator(
    folder: Path, seed: int, days: int, scale: float, port: int, faults: str | None
) -> None:
    """Serve the REST API of made-up workspaces on this machine, until interrupted."""
    from overwatch_assets.demo.emulator.faults import parse_storm
    from overwatch_assets.operations.emulator import serve_world

    storm = parse_storm(faults) if faults else None
    console = _console()
    serve_world(folder, console, seed=seed, days=days, scale=scale, port=port, storm=storm)


@cli.command()
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

    console = _console(stderr=as_json)
    session = Session(load_config(config_file), console)
    selection = Selection(_listed(modules), _listed(scopes), _listed(layers))
    plan = session.plan(selection, workspaces, _day(first), _day(last))
    if is_plan and as_json:
        click.echo(json.dumps(plan.as_rows(), indent=2))
        return 0
    showing.show_plan(console, plan)
    if is_plan:
        return 0
    report = session.load(plan)
    if as_json:
        click.echo(showing.report_json(report))
    showing.show_report(console, session.config, report)
    if report.is_stopped:
        return INTERRUPTED
    if any(result.is_source for result in report.failed):
        return UNREACHABLE
    return FAILED if report.failed else 0


@cli.command()
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

    console = _console(stderr=as_json)
    config = load_config(config_file)
    asked = [config.workspace(each) for each in workspaces] or config.workspaces
    with showing.watching(console, config, with_logs=with_logs) as watch:
        report = checked(config, asked, with_logs=with_logs, watch=watch)
    if as_json:
        click.echo(showing.validation_json(report))
    else:
        showing.show_validation(console, config, report)
    return report.exit_code


@cli.command()
@JSON
def modules(*, as_json: bool) -> None:
    """The tables: id, what they hold, what they are made from."""
    from overwatch_assets.operations.catalogue import modules_catalogue, modules_table

    click.echo(json.dumps(modules_catalogue(), indent=2) if as_json else modules_table())


@cli.command()
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


@cli.command()
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

    rows = answer(load_config(config_file), statement, _day(as_of), _listed(workspaces))
    click.echo(rows.write_json() if as_json else as_text(rows))


@cli.command()
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
        _listed(workspaces),
        main=named[0],
        etl=named[1] or ("etl",),
    )
    for statement in told:
        click.echo(statement if statement.startswith("--") else f"{statement};")


@cli.command()
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
        by=_listed(by),
        step=step,
        idle=idle,
        workspaces=_listed(workspaces),
    )
    if as_json:
        click.echo(rows.write_json())
        return
    click.echo(as_text(rows))
    unknown = rows["unknown_rows"].sum()
    beside = f", {unknown} amounts beneath are not known" if unknown else ""
    click.echo(f"total {rows['total_cost'].sum():,.2f} USD{beside}")


@cli.command()
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
    of = _listed(workspaces)
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


@cli.command()
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


@cli.group("explain")
def explain_group() -> None:
    """How a number came about, down to the audit record."""


@explain_group.command("run")
@CONFIG
@click.argument("run_id", type=int)
@WORKSPACES
@JSON
def explain_run_command(
    config_file: Path | None, run_id: int, workspaces: Sequence[str], *, as_json: bool
) -> None:
    """What a job run cost: its share of each state of its cluster."""
    from overwatch_assets.operations.explain import explained, run

    told = run.explain_run(load_config(config_file), run_id, workspaces)
    click.echo(explained.as_json(told) if as_json else explained.as_text(told))


@explain_group.command("cluster")
@CONFIG
@click.argument("cluster_id")
@click.option("--day", type=DAY, required=True, help="Day in the configured time zone.")
@WORKSPACES
@JSON
def explain_cluster_command(
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


@cli.command()
@CONFIG
@click.option("--port", default=3000, show_default=True, help="Port on 127.0.0.1.")
def ui(config_file: Path | None, port: int) -> int:
    """Open Dagster for the deployment: web server and daemon on this machine."""
    from overwatch_assets.operations.ui import serve

    return serve(load_config(config_file), port)


def _console(*, stderr: bool = False) -> Console:
    """As wide as the terminal; wide enough for a line per table where there is none."""
    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(stderr=stderr, width=LINE_WIDTH)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _day(instant: datetime | None) -> date | None:
    return instant.date() if instant else None


if __name__ == "__main__":
    main()
