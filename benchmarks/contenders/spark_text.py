"""PySpark: `text`, then `from_json` with a schema per type of event, to Parquet.

Parquet instead of Delta: Spark's Delta is a download of its own, and would only add to it.
"""
# PySpark lies in an environment of its own.
# pyright: basic, reportMissingImports=false

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name that everybody gives it
from pyspark.sql.types import BooleanType, LongType, StringType, StructField, StructType

from benchmarks.fields import TABLES, Kind, Node, nested

TYPES: dict[Kind, Any] = {
    Kind.LONG: LongType(),
    Kind.TEXT: StringType(),
    Kind.FLAG: BooleanType(),
}


def main(folder: Path, logs: Sequence[str]) -> None:
    """Read logs into Parquet below a folder."""
    spark = (
        SparkSession.builder.master("local[*]")
        .config("spark.driver.memory", "2g")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.local.dir", str(folder / "spark"))
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    lines = spark.read.text(list(logs))
    for table in TABLES:
        prefixes = [F.col("value").startswith(f'{{"Event":"{event}"') for event in table.events]
        wanted = prefixes[0]
        for prefix in prefixes[1:]:
            wanted |= prefix
        event = F.from_json("value", _type(nested(table.fields))).alias("event")
        values = [F.col(_quoted(field.path)).alias(field.name) for field in table.fields]
        rows = lines.filter(wanted).select(event).select(values)
        rows.write.parquet(str(folder / table.name))
    stop(spark)


def stop(spark: SparkSession) -> None:
    """Stop, and wait for the JVM: the CPU of a child counts once it was waited for."""
    gateway = spark.sparkContext._gateway  # noqa: SLF001 - nothing public tells the process
    spark.stop()
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait()


def _quoted(path: Sequence[str]) -> str:
    return ".".join(f"`{key}`" for key in ("event", *path))


def _type(inside: Node) -> Any:
    if isinstance(inside, Kind):
        return TYPES[inside]
    return StructType([StructField(key, _type(each)) for key, each in inside.items()])


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
