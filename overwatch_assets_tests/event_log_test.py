"""Dagster's records, written in batches and read as Dagster's own."""

import warnings
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.utils import make_new_run_id

from overwatch_assets import event_log
from overwatch_assets.operations.dagster_home import SETTINGS, open_instance

DAYS = 5
CHECK = dg.AssetCheckKey(dg.AssetKey("second"), "whole")
FIRST = date(2026, 5, 1)
PARTITIONS = dg.DailyPartitionsDefinition("2026-05-01", end_date="2026-06-01")


def _loaded(context: dg.AssetExecutionContext, facts: int) -> None:
    for key in context.partition_keys:
        context.add_asset_metadata({"rows": facts}, asset_key=context.asset_key, partition_key=key)


def _definitions() -> dg.Definitions:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        one_run = dg.BackfillPolicy.single_run()

        @dg.asset(partitions_def=PARTITIONS, backfill_policy=one_run)
        def first(context: dg.AssetExecutionContext) -> None:
            _loaded(context, 1)

        @dg.asset(partitions_def=PARTITIONS, backfill_policy=one_run, deps=[first])
        def second(context: dg.AssetExecutionContext) -> None:
            _loaded(context, 2)

    @dg.asset_check(asset="second")
    def whole() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    job = dg.define_asset_job("load", executor_def=dg.in_process_executor)
    return dg.Definitions(assets=[first, second], asset_checks=[whole], jobs=[job])


def _run(instance: dg.DagsterInstance) -> str:
    last = FIRST + timedelta(days=DAYS - 1)
    done = (
        _definitions()
        .resolve_job_def("load")
        .execute_in_process(
            instance=instance,
            tags={
                "dagster/asset_partition_range_start": FIRST.isoformat(),
                "dagster/asset_partition_range_end": last.isoformat(),
            },
        )
    )
    assert done.success
    return done.run_id


def _told(instance: dg.DagsterInstance, run_id: str) -> dict[str, object]:
    """All that Dagster answers about a run and its assets, but for instants and numbers."""
    entries = [entry for entry in instance.all_logs(run_id) if entry.is_dagster_event]
    storage = instance.event_log_storage
    keys = [dg.AssetKey("first"), dg.AssetKey("second")]
    return {
        "events": Counter(
            (str(entry.dagster_event_type), entry.step_key, entry.get_dagster_event().partition)
            for entry in entries
        ),
        "materialized": {key: sorted(instance.get_materialized_partitions(key)) for key in keys},
        "rows": {
            (key, record.partition_key): record.asset_materialization.metadata["rows"].value
            for key in keys
            for record in instance.fetch_materializations(key, limit=100).records
            if record.asset_materialization
        },
        "last": {
            record.asset_entry.asset_key: (
                record.asset_entry.last_run_id == run_id,
                record.asset_entry.last_materialization_record is not None
                and record.asset_entry.last_materialization_record.partition_key,
            )
            for record in instance.get_asset_records(keys)
        },
        "checks": [
            record.status for record in storage.get_asset_check_execution_history(CHECK, limit=10)
        ],
    }


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with open_instance(tmp_path / "ours") as instance:
        yield instance


@pytest.fixture
def dagsters(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    home = tmp_path / "dagsters"
    home.mkdir()
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance


def test_a_range_run_is_told_as_dagsters_own_storage_tells_it(
    ours: dg.DagsterInstance, dagsters: dg.DagsterInstance
) -> None:
    told = _told(ours, _run(ours))

    assert told == _told(dagsters, _run(dagsters))
    assert len(told["rows"]) == 2 * DAYS  # type: ignore[arg-type]


def test_either_storage_reads_what_the_other_wrote(
    ours: dg.DagsterInstance, tmp_path: Path
) -> None:
    run_id = _run(ours)
    home = tmp_path / "ours"
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", encoding="utf-8")

    with dg.DagsterInstance.from_config(str(home)) as other:
        assert type(_storage(other)) is SqliteEventLogStorage
        assert _told(other, run_id) == _told(ours, run_id)
        later = _run(other)

    assert _told(ours, later)["events"] == _told(ours, run_id)["events"]


def test_no_partition_is_written_alone(
    ours: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone: list[str] = []
    store = SqliteEventLogStorage.store_event

    def watched(self: SqliteEventLogStorage, event: dg.EventLogEntry) -> None:
        alone.append(str(event.dagster_event_type))
        store(self, event)

    monkeypatch.setattr(SqliteEventLogStorage, "store_event", watched)
    _run(ours)

    assert "DagsterEventType.RUN_START" in alone
    assert not [each for each in alone if "ASSET_MATERIALIZATION" in each]


def test_only_a_few_databases_stay_open_however_many_runs_are_asked_for(
    ours: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "OPEN_SHARDS", 2)
    for _ in range(4):
        assert ours.all_logs(make_new_run_id()) == []
    assert ours.get_materialized_partitions(dg.AssetKey("first")) == set()

    folder = Path(_storage(ours).path_for_shard("index")).parent.resolve()
    held = [each.resolve() for each in Path("/proc/self/fd").iterdir() if each.exists()]
    open_databases = {each for each in held if each.parent == folder and each.suffix == ".db"}
    assert len(open_databases) == 2


def test_the_project_s_own_settings_are_those_of_a_deployment() -> None:
    root = Path(__file__).parents[1]

    assert (root / "dagster.yaml").read_text(encoding="utf-8") == SETTINGS


def _storage(instance: dg.DagsterInstance) -> SqliteEventLogStorage:
    storage = getattr(instance.event_log_storage, "_storage", instance).event_log_storage
    assert isinstance(storage, SqliteEventLogStorage)
    return storage
