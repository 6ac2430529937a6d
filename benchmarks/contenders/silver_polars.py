"""This project's transforms of a day's Spark events, from Parquet to Parquet.

The day is one that nothing was open before.
"""

import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import polars as pl

from benchmarks.contenders.silver_tables import CONTEXTS, EVENTS
from overwatch_assets.module import Carried, History, Module, Window
from overwatch_assets.silver.spark_jobs_silver import spark_jobs_silver
from overwatch_assets.silver.spark_stages_silver import spark_stages_silver
from overwatch_assets.silver.spark_tasks_silver import spark_tasks_silver

MODULES: dict[str, Module] = {
    each.table.name: each for each in (spark_tasks_silver, spark_stages_silver, spark_jobs_silver)
}


def main(inputs: Path, outputs: Path, day: date, tables: Sequence[str]) -> None:
    """Make tables of the day's events; without tables nothing but the start is done."""
    since = datetime.combine(day, time(), UTC)
    window = Window(since=since, until=since + timedelta(days=1))
    for table in tables:
        module = MODULES[table]
        frames = {
            EVENTS: pl.scan_parquet(inputs / f"{EVENTS}.parquet"),
            CONTEXTS: pl.scan_parquet(inputs / f"{CONTEXTS}.parquet"),
        }
        nothing = pl.LazyFrame(schema=module.table.schema)
        for parameter, read in module.reads.items():
            if isinstance(read, Carried):
                frames[parameter] = nothing
            if isinstance(read, History):
                frames[parameter] = nothing.select(read.columns)
        (outputs / table).mkdir()
        made = module.transform(**frames, window=window).collect(engine="in-memory")
        made.write_parquet(outputs / table / "part.parquet")


if __name__ == "__main__":
    INPUTS, OUTPUTS, DAY, *NAMES = sys.argv[1:]
    main(Path(INPUTS), Path(OUTPUTS), date.fromisoformat(DAY), NAMES)
