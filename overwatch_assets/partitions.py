"""Partitions: day by workspace. Here belongs what turns keys into days and back."""

from collections.abc import Iterable, Mapping
from datetime import date

import dagster as dg

from overwatch_assets.config import Config

DATE = "date"
WORKSPACE = "workspace"

_ONE = "dagster/partition"
_RANGE_START = "dagster/asset_partition_range_start"
_RANGE_END = "dagster/asset_partition_range_end"


def partitions_of(config: Config) -> dg.MultiPartitionsDefinition:
    """Day by workspace, from the earliest first day to the day that has begun.

    Today is a partition too: it can be loaded as far as it has come, and is replaced whole
    when it is loaded again.
    """
    first = min(workspace.first_day for workspace in config.workspaces)
    days = dg.DailyPartitionsDefinition(
        start_date=first.isoformat(), timezone=config.timezone.key, end_offset=1
    )
    ids = [workspace.organization_id for workspace in config.workspaces]
    return dg.MultiPartitionsDefinition({DATE: days, WORKSPACE: dg.StaticPartitionsDefinition(ids)})


def key_of(organization_id: str, day: date) -> dg.MultiPartitionKey:
    """Partition key of a day of a workspace."""
    return dg.MultiPartitionKey({DATE: day.isoformat(), WORKSPACE: organization_id})


def cell_of(key: str) -> tuple[str, date]:
    """Workspace and day of a partition key."""
    day, _, organization_id = key.partition("|")
    return organization_id, date.fromisoformat(day)


def cells_by_workspace(keys: Iterable[str]) -> dict[str, list[date]]:
    """Days of each workspace, ascending."""
    days: dict[str, list[date]] = {}
    for organization_id, day in sorted(map(cell_of, keys)):
        days.setdefault(organization_id, []).append(day)
    return days


def workspaces_of(tags: Mapping[str, str]) -> set[str] | None:
    """Workspaces whose partitions a run's tags ask for; None: they name no partition."""
    keys = [tags[tag] for tag in (_ONE, _RANGE_START, _RANGE_END) if tag in tags]
    return {cell_of(key)[0] for key in keys} or None


def range_tags(organization_id: str, first: date, last: date) -> dict[str, str]:
    """Run tags that ask for adjacent days of a workspace in one run."""
    return {
        _RANGE_START: str(key_of(organization_id, first)),
        _RANGE_END: str(key_of(organization_id, last)),
    }
