"""The prices in force, and what is wrong with the files that they come from."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import polars as pl

from overwatch_assets.config import Config, Workspace
from overwatch_assets.operations.query import as_text as rows_as_text
from overwatch_assets.reference.prices import PriceFigures
from overwatch_assets.reference.problems import Problem, errors_of
from overwatch_assets.resources import Deployment

_SHOWN = (
    "API_Name",
    "sku",
    "cluster_size",
    "driver_size",
    "worker_count",
    "total_dbus",
    "vCPUs",
    "Memory_GB",
    "Hourly_DBUs",
    "Compute_Contract_Price",
    "contract_price",
    "activeFrom",
    "activeUntil",
    "price_origin",
    "origin",
)
"""What people are shown; a machine gets all."""

_LONGEST_ORIGIN = 1000
"""The path of a price file is shown whole."""

_OF_A_WORKSPACE = ("organization_id", "isActive", "activeFromEpochMillis", "activeUntilEpochMillis")


@dataclass(frozen=True, slots=True)
class WorkspacePrices:
    """The prices of a workspace.

    Attributes:
        workspace: The workspace.
        reference: Its figures; None: its files can't be used.
        problems: What is wrong with its files, warnings too.
        day: Day whose prices are in force, in UTC.
    """

    workspace: Workspace
    reference: PriceFigures | None
    problems: tuple[Problem, ...]
    day: date

    @property
    def is_refused(self) -> bool:
        """Whether its files can't be used."""
        return self.reference is None

    @property
    def in_force(self) -> dict[str, pl.DataFrame]:
        """Rows of each price table that hold on the day."""
        if self.reference is None:
            return {}
        begun = pl.col("activeFrom") <= self.day
        is_over = (pl.col("activeUntil") <= self.day).fill_null(value=False)
        return {
            name: rows.filter(begun & ~is_over).drop(_OF_A_WORKSPACE, strict=False)
            for name, rows in self.reference.frames.items()
        }

    @property
    def title(self) -> str:
        """The workspace as people know it."""
        return f"workspace {self.workspace.organization_id} ({self.workspace.name})"


def prices_of(
    config: Config, workspaces: Sequence[str] = (), day: date | None = None
) -> list[WorkspacePrices]:
    """Prices of workspaces.

    Args:
        config: The configuration.
        workspaces: Ids or names; none: all.
        day: Day whose prices are in force; None: today in UTC.

    Raises:
        ConfigError: There is no such workspace.
        SourceError: A file can't be reached.
    """
    asked = [config.workspace(each) for each in workspaces] or config.workspaces
    deployment = Deployment(config=config, modules={})
    return [_prices(deployment, each, day or datetime.now(UTC).date()) for each in asked]


def _prices(deployment: Deployment, workspace: Workspace, day: date) -> WorkspacePrices:
    files = deployment.price_files(workspace.organization_id)
    if errors_of(files.problems):
        return WorkspacePrices(workspace, None, files.problems, day)
    reference = deployment.reference(workspace.organization_id)
    return WorkspacePrices(workspace, reference, reference.warnings, day)


def as_text(shown: Sequence[WorkspacePrices]) -> str:
    """The prices for people; of files that can't be used, what is wrong with them."""
    parts: list[str] = []
    for each in shown:
        parts.append(f"Prices of {each.title} on {each.day}, USD")
        for name, rows in each.in_force.items():
            columns = [column for column in _SHOWN if column in rows.columns]
            parts.append(f"\n{name}\n{rows_as_text(rows.select(columns), longest=_LONGEST_ORIGIN)}")
        parts += _listed(each)
    return "\n".join(parts)


def as_report(shown: Sequence[WorkspacePrices]) -> str:
    """What is wrong with the files, for people."""
    parts: list[str] = []
    for each in shown:
        errors = len(errors_of(each.problems))
        warnings = len(each.problems) - errors
        parts.append(f"{each.title}: {errors} errors, {warnings} warnings")
        parts += _listed(each)
    return "\n".join(parts)


def as_json(shown: Sequence[WorkspacePrices]) -> str:
    """Prices and problems for machines."""
    return json.dumps([_as_object(each) for each in shown], indent=2, default=str)


def _as_object(prices: WorkspacePrices) -> dict[str, object]:
    return {
        "workspace": prices.workspace.organization_id,
        "workspace_name": prices.workspace.name,
        "day": prices.day,
        "reference_version": str(prices.reference.version) if prices.reference else None,
        "tables": {name: rows.to_dicts() for name, rows in prices.in_force.items()},
        "problems": [
            {
                "severity": "warning" if each.is_warning else "error",
                "place": each.place,
                "line": each.line,
                "key": each.key or None,
                "what": each.what,
                "remedy": each.remedy,
            }
            for each in prices.problems
        ],
    }


def _listed(prices: WorkspacePrices) -> list[str]:
    return [f"  {'warning' if each.is_warning else 'error'}: {each}" for each in prices.problems]
