"""Jobs: what one launches as a whole. Each covers days of workspaces, all tables in order."""

from collections.abc import Sequence

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import (
    UnresolvedAssetJobDefinition,
)

from overwatch_assets.module import Layer, Module

EVERYTHING = "overwatch"


def jobs_of(modules: Sequence[Module]) -> list[UnresolvedAssetJobDefinition]:
    """The job over every table, and one per layer."""
    layers = [layer for layer in Layer if any(module.layer is layer for module in modules)]
    everything = dg.define_asset_job(
        EVERYTHING,
        selection=dg.AssetSelection.all(),
        description="Every table, bronze to gold, of the chosen days and workspaces.",
    )
    by_layer = [
        dg.define_asset_job(
            str(layer),
            selection=dg.AssetSelection.groups(str(layer)),
            description=f"The {layer} tables of the chosen days and workspaces.",
        )
        for layer in layers
    ]
    return [everything, *by_layer]
