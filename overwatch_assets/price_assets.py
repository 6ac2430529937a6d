"""The price tables as Dagster assets: one step writes the three of every workspace of the run.

Here belongs the asset that refreshes them. Not here: what they hold (`reference/`).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from overwatch_assets.assets import DEPLOYMENT, OWNERS, column_schema, snapshot_of
from overwatch_assets.errors import ConfigError, SourceError
from overwatch_assets.partitions import workspaces_of
from overwatch_assets.reference.storing import Refreshed, refresh
from overwatch_assets.reference.tables import REFERENCE_TABLES
from overwatch_assets.resources import Deployment

GROUP = STEP = "prices"


def price_assets() -> dg.AssetsDefinition:
    """The three tables. They have no days: a refresh looks at the whole of a workspace."""

    @dg.multi_asset(
        name=STEP,
        specs=[
            dg.AssetSpec(
                table.name,
                group_name=GROUP,
                kinds={"polars", "deltalake"},
                owners=OWNERS,
                description=table.doc,
                metadata={
                    "dagster/column_schema": column_schema(table),
                    "grain": str(table.grain),
                    "keys": ", ".join(("organization_id", *table.keys)),
                },
            )
            for table in REFERENCE_TABLES
        ],
        required_resource_keys={DEPLOYMENT},
    )
    def prices(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        yield from _materialized(_refreshed(context))

    return prices


def _refreshed(context: dg.AssetExecutionContext) -> Mapping[str, Sequence[Refreshed]]:
    """Refresh the workspaces of the run, all of those whose files are sound and can be reached.

    Raises:
        ConfigError: With the problems of the others.
        SourceError: With the problems of the others, if none of their files is wrong.
    """
    deployment: Deployment = getattr(context.resources, DEPLOYMENT)
    run_id, snapshot = context.run.run_id, snapshot_of(context, deployment)
    asked = workspaces_of(context.run.tags)
    refreshed: dict[str, Sequence[Refreshed]] = {}
    refused: dict[str, ConfigError | SourceError] = {}
    for workspace in deployment.config.workspaces:
        org = workspace.organization_id
        if asked is not None and org not in asked:
            continue
        title = f"workspace {org} ({workspace.name})"
        try:
            reference = deployment.reference(org, _node_types(context, org))
        except (ConfigError, SourceError) as error:
            refused[title] = error
            continue
        for each in reference.warnings:
            context.log.warning("%s: %s", title, each)
        refreshed[org] = refresh(deployment.store, workspace, reference, run_id, snapshot)
    if refused:
        is_wrong = any(isinstance(error, ConfigError) for error in refused.values())
        message = "\n".join(f"{title}: {error}" for title, error in refused.items())
        raise ConfigError(message) if is_wrong else SourceError(message)
    return refreshed


def _node_types(context: dg.AssetExecutionContext, org: str) -> Sequence[Mapping[str, object]]:
    """What the API offers; if it can't be asked, sizes stay as they were last told."""
    deployment: Deployment = getattr(context.resources, DEPLOYMENT)
    try:
        return deployment.listed_node_types(org)
    except SourceError as error:
        context.log.warning("node types are taken as they were last listed: %s", error)
        return ()


def _materialized(
    refreshed: Mapping[str, Sequence[Refreshed]],
) -> Iterator[dg.MaterializeResult[Any]]:
    for number, table in enumerate(REFERENCE_TABLES):
        of_table = {org: tables[number] for org, tables in refreshed.items()}
        yield dg.MaterializeResult(
            asset_key=table.name,
            metadata={
                "dagster/row_count": sum(each.rows for each in of_table.values()),
                "workspaces": ", ".join(of_table),
                "changed": ", ".join(org for org, each in of_table.items() if each.is_changed),
                "delta version": max((each.delta_version for each in of_table.values()), default=0),
            },
        )
