"""Commands that need no Databricks: a company is made up on this machine."""

from pathlib import Path

import click

from overwatch_assets.command_line.options import FILE, SEED, console


@click.command()
@click.option(
    "--folder",
    type=FILE,
    default=Path("demo"),
    show_default=True,
    help="Where logs and tables of the made-up workspaces go.",
)
@SEED
def demo(folder: Path, seed: int) -> int:
    """Make up three workspaces, load them, and show what there is to see."""
    from overwatch_assets.operations.demo import run_demo

    return run_demo(folder, seed, console())


@click.command()
@click.option(
    "--folder",
    type=FILE,
    default=Path("demo"),
    show_default=True,
    help="Of a demo, whose API is served; else the folder of the client secret.",
)
@SEED
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
    serve_world(folder, console(), seed=seed, days=days, scale=scale, port=port, storm=storm)
