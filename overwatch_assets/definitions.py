"""The code location: assembly only.

Which workspaces and days there are comes from the configuration: the file that OVERWATCH_CONFIG
names, else `overwatch.yaml` here, else the demo's. A checkout without any shows the demo's
assets, ready for `overwatch demo`.
"""

import os
from collections.abc import Mapping, Sequence

import dagster as dg

from overwatch_assets.assets import DEPLOYMENT, asset_of
from overwatch_assets.config import FILE_VARIABLE, Config, config_path, load_config
from overwatch_assets.demo.setup import DEMO_CONFIG, demo_config
from overwatch_assets.jobs import jobs_of
from overwatch_assets.module import Module
from overwatch_assets.partitions import partitions_of
from overwatch_assets.price_assets import price_assets
from overwatch_assets.registry import MODULES
from overwatch_assets.resources import Deployment
from overwatch_assets.view_assets import view_assets


def build_definitions(
    *,
    config: Config | None = None,
    modules: Sequence[Module] = MODULES,
    deployment: Deployment | None = None,
    resources: Mapping[str, object] | None = None,
    executor: dg.ExecutorDefinition = dg.in_process_executor,
) -> dg.Definitions:
    """The code location of a configuration.

    Args:
        config: The configuration; None: the one found.
        modules: Tables to define.
        deployment: Store and sources to use instead of the configuration's.
        resources: Further resources, or others in the place of these.
        executor: In-process by default: a process per table costs more than most tables.
    """
    found = config or (deployment.config if deployment else None) or _found()
    by_table = {module.table.name: module for module in modules}
    deployment = deployment or Deployment(config=found, modules=by_table)
    partitions = partitions_of(found)
    hardcoded = {DEPLOYMENT: dg.ResourceDefinition.hardcoded_resource(deployment)}
    return dg.Definitions(
        assets=[
            price_assets(),
            *(asset_of(module, partitions) for module in modules),
            *view_assets(),
        ],
        jobs=jobs_of(modules),
        resources={**hardcoded, **(resources or {})},
        executor=executor,
    )


def _found() -> Config:
    if FILE_VARIABLE in os.environ or config_path().exists():
        return load_config()
    if DEMO_CONFIG.exists():
        return load_config(DEMO_CONFIG)
    return demo_config()


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster loads; commands that bring their own configuration don't need it."""
    return build_definitions()
