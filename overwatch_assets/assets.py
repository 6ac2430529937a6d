"""The one place where a module becomes a Dagster asset.

Here belong the asset's declaration and its body, which hands its partitions to the loader and
reports what came of each. Not here: how a day is loaded (`execution/`).
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from overwatch_assets.column_lineage import copied_columns, input_of
from overwatch_assets.execution.records import Record
from overwatch_assets.execution.rules import RuleBroken
from overwatch_assets.execution.run import Run
from overwatch_assets.execution.windows import contiguous
from overwatch_assets.frozen_facts import hold_frozen
from overwatch_assets.materializations import DagsterLedger, evaluations_of, metadata_of
from overwatch_assets.module import Module, Table
from overwatch_assets.partitions import DATE, WORKSPACE, cells_by_workspace, key_of
from overwatch_assets.registry import TABLES
from overwatch_assets.resources import Deployment

DEPLOYMENT = "deployment"
REDO_TAG = "overwatch/redo"
RETRY_TAG = "overwatch/retry"
"""Of a run that asks sources only for what earlier runs could not get."""
OWNERS = ["team:platform"]
_TABLES = {table.name: table for table in TABLES}

Event = dg.MaterializeResult[Any] | dg.AssetCheckEvaluation | dg.Output[None]
"""What loading yields."""


def asset_of(module: Module, partitions: dg.MultiPartitionsDefinition) -> dg.AssetsDefinition:
    """The asset of a module: its declaration as Dagster shows it, its days as partitions."""
    with warnings.catch_warnings():
        # Range runs and mappings of two dimensions are called beta, checks with partitions a
        # preview; Dagster is pinned.
        warnings.simplefilter("ignore", dg.BetaWarning)
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return _asset_of(module, partitions)


def _asset_of(module: Module, partitions: dg.MultiPartitionsDefinition) -> dg.AssetsDefinition:
    specs = _check_specs(module, partitions)

    @dg.asset(
        name=module.table.name,
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        deps=_deps(module),
        group_name=str(module.layer),
        kinds={"polars", "deltalake"},
        owners=OWNERS,
        tags={"overwatch/scope": str(module.scope), "overwatch/grain": str(module.table.grain)},
        description=module.table.doc,
        required_resource_keys={DEPLOYMENT},
        metadata={
            "dagster/column_schema": column_schema(module.table),
            **_lineage(module),
            "module id": module.module_id,
            "module name": module.name,
            "scope": str(module.scope),
            "grain": str(module.table.grain),
            "keys": ", ".join(("organization_id", *module.table.keys)),
            "decided by": module.decided_by,
        },
        check_specs=specs,
    )
    def load(context: dg.AssetExecutionContext) -> Iterator[Event]:
        try:
            records = _load(context, module)
        except RuleBroken as broken:
            cell = broken.cell
            key = str(key_of(cell.organization_id, cell.day))
            yield from evaluations_of(context.instance, module, {key: broken.checks})
            raise
        yield dg.MaterializeResult()
        checks = {str(key_of(each.organization_id, each.day)): each.checks for each in records}
        yield from evaluations_of(context.instance, module, checks)
        # A check's output says that it was evaluated; its results are those of the partitions.
        for spec in specs:
            yield dg.Output(None, output_name=spec.get_python_identifier())

    return load


def _check_specs(
    module: Module, partitions: dg.MultiPartitionsDefinition
) -> list[dg.AssetCheckSpec]:
    """The rules of a module as checks of its asset, each of one partition."""
    return [
        dg.AssetCheckSpec(
            rule.name, asset=module.table.name, description=rule.doc, partitions_def=partitions
        )
        for rule in module.rules
    ]


def _load(context: dg.AssetExecutionContext, module: Module) -> list[Record]:
    """Load the run's partitions.

    Returns:
        What is recorded of each, also of those that a redo left as they were.
    """
    deployment: Deployment = getattr(context.resources, DEPLOYMENT)
    hold_frozen(context.instance, deployment.config)
    seen = deployment.seen(context.run.run_id)
    loader = deployment.loader(DagsterLedger(context.instance, seen.records), seen.store)
    run = Run(
        run_id=context.run.run_id,
        snapshot=snapshot_of(context, deployment),
        redo=context.run.tags.get(REDO_TAG) == "true",
        retry=context.run.tags.get(RETRY_TAG) == "true",
        stop=deployment.stopping.is_set,
        progress=deployment.progress,
        now=deployment.now,
    )
    reported: list[Record] = []
    for organization_id, days in cells_by_workspace(context.partition_keys).items():
        workspace = deployment.config.workspace(organization_id)
        for adjacent in contiguous(days):
            with deployment.store.computing():
                records = loader.load(module, workspace, adjacent, run)
            reported += _report(context, organization_id, adjacent, records, run)
    return reported


def _report(
    context: dg.AssetExecutionContext,
    organization_id: str,
    days: Sequence[date],
    records: Sequence[Record],
    run: Run,
) -> list[Record]:
    """Give each day's materialisation its record; a day that a redo left alone keeps its own.

    Returns:
        The records of all days.

    Raises:
        Failure: The run was stopped; the days it had committed are materialised all the same.
    """
    fresh = {record.day: record for record in records}
    kept = [day for day in days if day not in fresh]
    if kept and not run.redo:
        for record in records:
            key = str(key_of(record.organization_id, record.day))
            context.log_event(
                dg.AssetMaterialization(
                    asset_key=context.asset_key, partition=key, metadata=metadata_of(record)
                )
            )
        message = f"stopped on request; from {kept[0]} on nothing was loaded: run it again"
        raise dg.Failure(message, allow_retries=False)
    ledger = DagsterLedger(context.instance)
    unchanged = ledger.latest(context.asset_key.path[-1], organization_id, kept)
    known = [*records, *unchanged.values()]
    for record in known:
        context.add_asset_metadata(
            metadata_of(record),
            asset_key=context.asset_key,
            partition_key=str(key_of(record.organization_id, record.day)),
        )
    return known


def snapshot_of(context: dg.AssetExecutionContext, deployment: Deployment) -> datetime:
    """The snapshot time of all tables of a run: when it began, unless the deployment tells."""
    if deployment.clock:
        return deployment.clock()
    record = context.instance.get_run_record_by_id(context.run.run_id)
    if record is None:
        return datetime.now(UTC)
    return record.create_timestamp.astimezone(UTC)


def _deps(module: Module) -> list[dg.AssetDep]:
    deps = [dg.AssetDep(name) for name in module.dependencies]
    if module.is_carrying:
        deps.append(dg.AssetDep(module.table.name, partition_mapping=_day_before()))
    return deps


def _day_before() -> dg.MultiPartitionMapping:
    shift = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)
    return dg.MultiPartitionMapping(
        {
            DATE: dg.DimensionPartitionMapping(DATE, shift),
            WORKSPACE: dg.DimensionPartitionMapping(WORKSPACE, dg.IdentityPartitionMapping()),
        }
    )


def _lineage(module: Module) -> Mapping[str, dg.TableColumnLineage]:
    """Columns that are plain copies of the input's; nothing where there are none."""
    read = input_of(module)
    copies = copied_columns(module, _TABLES)
    if read is None or not copies:
        return {}
    deps = {
        column: [dg.TableColumnDep(dg.AssetKey(read), source)] for column, source in copies.items()
    }
    return {"dagster/column_lineage": dg.TableColumnLineage(deps_by_column=deps)}


def column_schema(table: Table) -> dg.TableSchema:
    """A table's stored columns as Dagster shows them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(name=column.name, type=str(column.dtype), description=column.doc)
            for column in table.stored_columns
        ]
    )
