"""What explanations look things up in: the tables of a deployment, as views show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import polars as pl

from overwatch_assets.config import Config, Workspace
from overwatch_assets.errors import ConfigError
from overwatch_assets.expressions import audit
from overwatch_assets.presentation.reading import Reach, rows_of
from overwatch_assets.registry import TABLES
from overwatch_assets.resources import Deployment

BY_NAME = {table.name: table for table in TABLES}

IDS = ("cluster_id", "clusterId", "runId", "run_id", "multitaskParentRunId", "jobId", "job_id")
"""Parameters of requests that name clusters and runs."""


@dataclass(frozen=True)
class Evidence:
    """The tables of one workspace.

    Attributes:
        deployment: Where they are.
        workspace: Whose rows are looked at.
    """

    deployment: Deployment
    workspace: Workspace

    @property
    def title(self) -> str:
        """The workspace as people know it."""
        return f"workspace {self.workspace.name} ({self.workspace.organization_id})"

    def rows(self, table: str, as_of: date | None = None) -> pl.LazyFrame:
        """A table as a view shows it; with `as_of`, as it stood at the end of that day."""
        reach = Reach(workspaces=[self.workspace.organization_id], as_of=as_of)
        return rows_of(self.deployment.store, BY_NAME[table], reach)

    def requests(self, ids: Sequence[str], since_ms: int, until_ms: int) -> pl.DataFrame:
        """Audit records of a time that name one of the ids, with what finds them in bronze."""
        said = audit.parameters(*IDS)
        of_result = [audit.of_result(name) for name in ("cluster_id", "run_id")]
        named = [*(pl.col("_said").struct.field(name) for name in IDS), *of_result]
        status = pl.col("response").struct.field("statusCode")
        return (
            self.rows("audit_log_bronze")
            .filter(pl.col("timestamp").is_between(since_ms, until_ms))
            .with_columns(said.alias("_said"))
            .filter(pl.any_horizontal(each.is_in(list(ids)) for each in named))
            .sort("timestamp", "hashKey")
            .select(
                instant(pl.col("timestamp")).alias("at"),
                request=pl.format("{}.{}", "serviceName", "actionName"),
                by=audit.user_email(),
                status=status,
                requestId="requestId",
                hashKey="hashKey",
                partition_date="partition_date",
            )
            .collect()
        )

    def prices(self, node_types: Sequence[str], skus: Sequence[str], at: date) -> pl.DataFrame:
        """What is in force on a day of node types and of DBUs, and where it comes from."""
        valid = (pl.col("activeFrom") <= at) & (
            pl.col("activeUntil").is_null() | (pl.col("activeUntil") > at)
        )
        nodes = (
            self.rows("instancedetails")
            .filter(valid, pl.col("API_Name").str.to_lowercase().is_in(_folded(node_types)))
            .select(
                what="API_Name",
                usd_per_hour="Compute_Contract_Price",
                dbu_per_hour="Hourly_DBUs",
                usd_per_dbu=pl.lit(None, pl.Float64),
                valid_from="activeFrom",
                origin=pl.format("{}; DBUs: {}", "price_origin", "dbu_origin"),
            )
        )
        dbus = (
            self.rows("dbucostdetails")
            .filter(valid, pl.col("sku").is_in(list(skus)))
            .select(
                what="sku",
                usd_per_hour=pl.lit(None, pl.Float64),
                dbu_per_hour=pl.lit(None, pl.Float64),
                usd_per_dbu="contract_price",
                valid_from="activeFrom",
                origin="origin",
            )
        )
        return pl.concat([nodes, dbus]).sort("what", "valid_from").collect()


def evidence_of(config: Config, workspaces: Sequence[str]) -> list[Evidence]:
    """Evidence of workspaces, by id or name; none: all.

    Raises:
        ConfigError: There is no such workspace.
    """
    asked = [config.workspace(each) for each in workspaces] or config.workspaces
    deployment = Deployment(config=config, modules={})
    return [Evidence(deployment, each) for each in asked]


def nothing_known(what: str, table: str, evidence: Sequence[Evidence]) -> ConfigError:
    """That no table tells of it, and what to do."""
    where = ", ".join(each.title for each in evidence)
    return ConfigError(
        f"{what} is in no row of {table} of {where}. Is the id right, and are its days loaded? "
        "`overwatch ui` shows which are"
    )


def instant(epoch_ms: pl.Expr) -> pl.Expr:
    """Epoch ms as an instant in UTC."""
    return pl.from_epoch(epoch_ms, time_unit="ms").dt.replace_time_zone("UTC")


def utc(epoch_ms: int | None) -> str | None:
    """An instant as people read it."""
    if epoch_ms is None:
        return None
    return f"{datetime.fromtimestamp(epoch_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _folded(names: Sequence[str]) -> list[str]:
    return [name.lower() for name in names]
