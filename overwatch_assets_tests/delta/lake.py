"""A small table, its rows, and stores to put them in."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl
from dagster_deltalake.config import ClientConfig, LocalConfig, S3Config
from deltalake import DeltaTable

from overwatch_assets.delta.log import Patience, commit_properties
from overwatch_assets.delta.storage import Retries, StorageLocation
from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets.module import Column, Grain, Table

WORKSPACE = "5206439413157315"
MONDAY, TUESDAY, WEDNESDAY = date(2024, 5, 6), date(2024, 5, 7), date(2024, 5, 8)
FEW_RETRIES = Retries(
    limit=1,
    within=timedelta(seconds=5),
    first_wait=timedelta(milliseconds=1),
    longest_wait=timedelta(milliseconds=2),
)
IMPATIENT = Patience(failures=2, first_wait_s=0.001, longest_wait_s=0.002)

JOBRUNS = Table(
    name="jobruns_bronze",
    columns=(
        Column("organization_id", pl.String, "Workspace."),
        Column("run_id", pl.Int64, "Job run."),
        Column("writer", pl.String, "Who wrote the row."),
        Column("tags", pl.Map(pl.String, pl.String), "Custom tags."),
        Column(
            "tasks",
            pl.List(pl.Struct({"key": pl.String, "attempts": pl.Int64})),
            "Tasks of the run.",
        ),
    ),
    keys=("run_id",),
    grain=Grain.EVENT,
    doc="Job runs: one row per run.",
)


def with_columns(*columns: Column) -> Table:
    """The table of job runs, declared with other columns."""
    return Table(JOBRUNS.name, columns, JOBRUNS.keys, JOBRUNS.grain, JOBRUNS.doc)


def data_schema(table: Table = JOBRUNS) -> pl.Schema:
    """Columns of a data file."""
    partition = {"organization_id", "partition_date"}
    return pl.Schema({k: v for k, v in table.schema.items() if k not in partition})


def runs(*run_ids: int, writer: str = "first", table: Table = JOBRUNS) -> pl.DataFrame:
    """A row per run; columns not named are null."""
    rows = [{"run_id": run_id, "writer": writer} for run_id in run_ids]
    return pl.DataFrame(rows, schema=data_schema(table))


def local_store(root: Path, patience: Patience = IMPATIENT) -> DeltaStore:
    return DeltaStore(StorageLocation(str(root), LocalConfig()), patience)


def s3_store(root: str, endpoint: str, *, retries: int = 1, timeout: str = "5s") -> DeltaStore:
    """A store behind an HTTP endpoint of S3's kind."""
    location = StorageLocation(
        root,
        S3Config(
            access_key_id="AKIAEXAMPLE",
            secret_access_key="canary/secret+of=tests",  # noqa: S106 - planted, to be looked for
            region="us-east-1",
            endpoint=endpoint,
        ),
        ClientConfig(allow_http=True, timeout=timeout),
        replace(FEW_RETRIES, limit=retries),
    )
    return DeltaStore(location, IMPATIENT)


def put(
    store: DeltaStore,
    day: date,
    frame: pl.DataFrame,
    organization_id: str = WORKSPACE,
    table: Table = JOBRUNS,
) -> int:
    """Replace one partition; returns the version."""
    staged = store.stage(table, organization_id, day, frame)
    return store.replace(table, organization_id, [day], staged, {"overwatch.run_id": "r-1"})


def commit_nothing(opened: DeltaTable, nonce: str) -> None:
    """A commit without files, which delta-rs would gladly move to a later version."""
    properties = commit_properties({}, nonce)
    opened.create_write_transaction([], "append", opened.schema(), commit_properties=properties)


def stored(store: DeltaStore, *days: date, organization_id: str | None = None) -> list[int]:
    """The runs stored, sorted; no days: of all days."""
    rows = store.scan(JOBRUNS, organization_id, days or None)
    return rows.sort("run_id").collect()["run_id"].to_list()
