"""Records of loaded days as Dagster keeps them: materialisation metadata, and back; their checks.

Dagster's run storage is the only state that decides what may be loaded and what is stale.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import dagster as dg
from dagster import AssetRecordsFilter, DagsterEventType
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)

from overwatch_assets.execution.records import Check, Record
from overwatch_assets.module import Module, Rule
from overwatch_assets.partitions import cell_of, key_of

RECORD = "overwatch/record"


@dataclass(frozen=True)
class DagsterLedger:
    """Reads records from a Dagster instance; the assets write them.

    Attributes:
        instance: The instance.
        read: Records that were read, by the number of their event: they don't change, and all
            tables of a run ask for those of the tables that they read.
    """

    instance: dg.DagsterInstance
    read: dict[int, Record] = field(default_factory=dict[int, Record])

    def latest(
        self, table: str, organization_id: str, days: Collection[date]
    ) -> Mapping[date, Record]:
        """The newest record of each day that has one."""
        if not days:
            return {}
        asset = dg.AssetKey(table)
        newest = self.instance.get_latest_storage_id_by_partition(
            asset,
            DagsterEventType.ASSET_MATERIALIZATION,
            {str(key_of(organization_id, day)) for day in days},
        )
        if unread := [number for number in newest.values() if number not in self.read]:
            found = self.instance.fetch_materializations(
                AssetRecordsFilter(asset_key=asset, storage_ids=unread), limit=len(unread)
            )
            for event in found.records:
                materialized = event.asset_materialization
                if materialized is not None and RECORD in materialized.metadata:
                    record = Record.from_json(json.dumps(materialized.metadata[RECORD].value))
                    self.read[event.storage_id] = record
        known = (self.read[number] for number in newest.values() if number in self.read)
        return {record.day: record for record in known}

    def days(self, table: str, organization_id: str) -> Sequence[date]:
        """Every day that was ever loaded, ascending."""
        keys = self.instance.get_materialized_partitions(dg.AssetKey(table))
        cells = map(cell_of, keys)
        return sorted(day for workspace, day in cells if workspace == organization_id)

    def failed(self, table: str, organization_id: str, day: date) -> bool:
        """Whether the newest attempt to load the day failed."""
        storage = self.instance.event_log_storage
        attempts = (
            storage.get_latest_asset_partition_materialization_attempts_without_materializations(
                dg.AssetKey(table)
            )
        )
        attempt = attempts.get(str(key_of(organization_id, day)))
        if attempt is None:
            return False
        run = self.instance.get_run_by_id(attempt[0])
        return run is not None and run.status is dg.DagsterRunStatus.FAILURE

    def write(self, records: Sequence[Record]) -> None:
        """Keep records outside of a run, as materialisations reported by hand."""
        for record in records:
            self.instance.report_runless_asset_event(
                dg.AssetMaterialization(
                    asset_key=record.table,
                    partition=str(key_of(record.organization_id, record.day)),
                    metadata=metadata_of(record),
                )
            )


def metadata_of(record: Record) -> dict[str, dg.MetadataValue]:
    """What a day's materialisation shows, and the record itself for the next run."""
    shown: dict[str, dg.MetadataValue] = {
        "dagster/row_count": dg.MetadataValue.int(record.rows),
        "status": dg.MetadataValue.text(str(record.status)),
        "from": _instant(record.since_ms),
        "until": _instant(record.until_ms),
        "complete": dg.MetadataValue.bool(record.is_complete),
        "open rows": dg.MetadataValue.int(record.open_rows),
        "delta version": dg.MetadataValue.int(record.delta_version),
    }
    if record.reason:
        shown["reason"] = dg.MetadataValue.text(record.reason)
    if record.counted:
        shown["counted, not stored"] = dg.MetadataValue.json(dict(record.counted))
    for name, value in record.details.items():
        shown[name.replace("_", " ")] = _value(value)
    shown[RECORD] = dg.MetadataValue.json(json.loads(record.to_json()))
    return shown


def evaluations_of(
    instance: dg.DagsterInstance, module: Module, checks: Mapping[str, Sequence[Check]]
) -> Iterator[dg.AssetCheckEvaluation]:
    """What the asset checks of partitions show.

    Args:
        instance: Where materialisations are: a check is of its partition's latest one.
        module: Whose rules were asked for.
        checks: What came of them, by partition key.
    """
    if not module.rules:
        return
    asset = dg.AssetKey(module.table.name)
    newest = instance.get_latest_storage_id_by_partition(
        asset, DagsterEventType.ASSET_MATERIALIZATION, set(checks)
    )
    found = instance.fetch_materializations(
        AssetRecordsFilter(asset_key=asset, storage_ids=list(newest.values())),
        limit=max(1, len(newest)),
    )
    targets = {
        record.partition_key: AssetCheckEvaluationTargetMaterializationData(
            storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp
        )
        for record in (found.records if newest else ())
    }
    by_name = {rule.name: rule for rule in module.rules}
    for key, of_partition in checks.items():
        for check in of_partition:
            if check.rule in by_name:
                yield _evaluation(asset, by_name[check.rule], check, key, targets.get(key))


def _evaluation(
    asset: dg.AssetKey,
    rule: Rule,
    check: Check,
    partition: str,
    target: AssetCheckEvaluationTargetMaterializationData | None,
) -> dg.AssetCheckEvaluation:
    shown: dict[str, dg.MetadataValue] = {
        "compared": dg.MetadataValue.int(check.compared),
        "broken": dg.MetadataValue.int(check.broken),
    }
    shown.update({name.replace("_", " "): _value(each) for name, each in check.figures.items()})
    if check.examples:
        shown["examples"] = dg.MetadataValue.json(list(check.examples))
    told = rule.doc
    if not check.holds:
        figures = ", ".join(f"{each} {name}" for name, each in check.figures.items())
        told = f"incomplete: {figures}" if rule.is_warning else f"broken: {rule.doc}"
        told = f"{told}. {rule.remedy}"
    severity = dg.AssetCheckSeverity.WARN if rule.is_warning else dg.AssetCheckSeverity.ERROR
    return dg.AssetCheckEvaluation(
        asset_key=asset,
        check_name=rule.name,
        passed=check.holds,
        metadata=shown,
        target_materialization_data=target,
        severity=severity,
        description=told,
        partition=partition,
    )


def _instant(epoch_ms: int) -> dg.MetadataValue:
    return dg.MetadataValue.text(
        datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat(sep=" ", timespec="milliseconds")
    )


def _value(value: float | str) -> dg.MetadataValue:
    if isinstance(value, bool):
        return dg.MetadataValue.bool(value)
    if isinstance(value, int):
        return dg.MetadataValue.int(value)
    if isinstance(value, float):
        return dg.MetadataValue.float(value)
    return dg.MetadataValue.text(value)
