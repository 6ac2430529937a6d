"""The whole bronze layer over the made-up company: however it is loaded, the tables are equal."""

import gzip
import json
import os
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from overwatch_assets.demo.audit_rows import audit_rows
from overwatch_assets.demo.emulated import emulated_workspaces
from overwatch_assets.demo.emulator.faults import Fault, FaultRule, Storm
from overwatch_assets.execution.records import Record
from overwatch_assets.module import Grain, Layer, Module
from overwatch_assets.registry import in_load_order
from overwatch_assets.sources.files import FileInfo
from overwatch_assets.sources.local_files import LocalFiles
from overwatch_assets_tests.end_to_end.company import Company, Observed, open_company

BRONZE = [module for module in in_load_order() if module.layer is Layer.BRONZE]
OF_FILES = [module for module in BRONZE if module.source in {"audit_logs", "spark_event_logs"}]
WITH_RUNS = {"job_runs_snapshot": True}
LATE_S = 3
"""How long a client waits where answers are late."""

Counts = Counter[tuple[object, ...]]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    root = tmp_path_factory.mktemp("company")
    with open_company(root, days=2, scale=0.3, spark_logs=True) as company:
        archive(audit_files(company)[0])
        yield company


def audit_files(company: Company) -> list[Path]:
    """Delivered files of the first workspace that hold events of the first day, by name."""
    folder = company.demo.workspaces[0].audit_folder / f"date={company.days[0]}"
    return sorted(folder.iterdir())


def archive(path: Path) -> None:
    """Deliver a file as an archive."""
    kept = path.stat()
    path.write_bytes(gzip.compress(path.read_bytes()))
    os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))


@pytest.fixture(scope="module")
def calm(company: Company) -> dict[str, pl.DataFrame]:
    """The tables as one undisturbed load makes them."""
    observed = company.deployed(WITH_RUNS)
    observed.load_all(BRONZE, company.days)
    found = observed.tables(BRONZE)
    assert [name for name, rows in found.items() if rows.is_empty()] == []
    return found


@pytest.fixture(autouse=True)
def fair_weather(company: Company) -> Iterator[None]:
    yield
    company.emulator.faults.clear()


def differences(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> list[str]:
    return [name for name in one if not one[name].equals(other[name])]


def counted(rows: pl.DataFrame, *of: str) -> Counts:
    """How many rows there are by workspace and what else tells them apart."""
    grouped = rows.group_by("organization_id", *of).len()
    return Counter({tuple(key): number for *key, number in grouped.iter_rows()})


def of_days(told: Mapping[str, Mapping[str, Mapping[str, int]]]) -> Counts:
    """Counts of a truth, which are told by workspace, day and kind."""
    return Counter(
        {
            (org, date.fromisoformat(day), kind): number
            for org, days in told.items()
            for day, kinds in days.items()
            for kind, number in kinds.items()
        }
    )


@pytest.fixture(scope="module")
def truth(company: Company) -> dict[str, Any]:
    """What the simulation says of itself, by workspace."""
    told: dict[str, Any] = json.loads(company.demo.truth.read_text())
    return told


def test_events_of_every_route_and_day_are_as_many_as_the_truth_says(
    company: Company, calm: dict[str, pl.DataFrame], truth: dict[str, Any]
) -> None:
    told = {
        org: {d: day["audit_events"] for d, day in of["days"].items()} for org, of in truth.items()
    }
    expected = of_days(told) - not_yet_delivered(company)
    audit = calm["audit_log_bronze"].with_columns(
        kind=pl.concat_str("serviceName", "actionName", separator=".")
    )
    assert counted(audit, "partition_date", "kind") == expected
    told = {
        org: {d: day["spark_events"] for d, day in of["days"].items()} for org, of in truth.items()
    }
    assert counted(calm["spark_events_bronze"], "partition_date", "Event") == of_days(told)
    told = {org: of["compute"]["cluster_events"] for org, of in truth.items()}
    expected = of_days(told) - forgotten(company)
    assert counted(calm["cluster_events_bronze"], "partition_date", "type") == expected


def not_yet_delivered(company: Company) -> Counts:
    """Events of the third workspace that come into the system table too late to be seen."""
    of_third = company.demo.world.workspaces[2]
    rows = audit_rows(of_third, company.demo.world.company.account_id)
    return Counter(
        (
            row["workspace_id"],
            date.fromisoformat(str(row["event_date"])),
            f"{row['service_name']}.{row['action_name']}",
        )
        for delivered_ms, row in rows
        if delivered_ms > company.end_ms
    )


def forgotten(company: Company) -> Counts:
    """Events of clusters of which the API tells nothing any more."""
    world, lost = company.demo.world, Counts()
    for api, made in zip(emulated_workspaces(world), world.workspaces, strict=True):
        for life in made.compute.lives():
            if api.cluster_events(life.cluster_id, company.end_ms) is None:
                lost.update(
                    (made.workspace.workspace_id, day_of(event.at_ms), event.type)
                    for event in life.events
                    if world.since_ms <= event.at_ms < world.until_ms
                )
    return lost


def day_of(epoch_ms: int) -> date:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).date()


def test_objects_runs_and_queries_are_those_of_the_truth(
    company: Company, calm: dict[str, pl.DataFrame], truth: dict[str, Any]
) -> None:
    last = str(company.days[-1])
    for table, key, kind in (
        ("policies_snapshot_bronze", "policy_id", "policies"),
        ("tokens_snapshot_bronze", "token_id", "tokens"),
        ("global_inits_snapshot_bronze", "script_id", "init_scripts"),
        ("instance_profiles_snapshot_bronze", "instance_profile_arn", "instance_profiles"),
        ("warehouses_snapshot_bronze", "warehouse_id", "warehouses"),
    ):
        told = [
            (org, key) for org, of in truth.items() for key in of["estate"]["objects"][last][kind]
        ]
        assert counted(calm[table], key) == Counter(told), table
    for table, kind in (
        ("jobs_snapshot_bronze", "jobs"),
        ("pools_snapshot_bronze", "instance_pools"),
    ):
        told = Counter({(org,): of["compute"]["objects"][last][kind] for org, of in truth.items()})
        assert counted(calm[table]) == told, table
    runs = calm["job_runs_snapshot_bronze"]
    told = [
        (org, int(run_id))
        for org, of in truth.items()
        for run_id, run in of["compute"]["runs"].items()
        if run["submitted_ms"] >= company.demo.world.since_ms
    ]
    assert counted(runs, "run_id") == Counter(told)
    queries = calm["sql_query_history_bronze"]
    lasting: Counts = Counter(
        (org, day, query_id)
        for org, of in truth.items()
        for query_id, query in of["estate"]["queries"].items()
        for day in company.days
        if lasts_on(day, query)
    )
    assert counted(queries, "partition_date", "query_id") == lasting


def lasts_on(day: date, query: Mapping[str, Any]) -> bool:
    begun = day_of(query["start_ms"]) <= day
    return begun and (query["end_ms"] is None or day <= day_of(query["end_ms"]))


@contextmanager
def cut(path: Path) -> Generator[None]:
    """A file as it is while it is being uploaded: it breaks off."""
    whole, kept = path.read_bytes(), path.stat()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    yield
    path.write_bytes(whole)
    os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))


@contextmanager
def vanishing(aside: Path, *paths: Path) -> Generator[None]:
    """Files that are gone once they have been listed, and come back afterwards."""
    held = {str(path): aside / str(number) for number, path in enumerate(paths)}
    listed = LocalFiles.list

    def listed_and_lost(files: LocalFiles, prefix: str) -> Iterator[FileInfo]:
        for info in [*listed(files, prefix)]:
            if info.path in held:
                Path(info.path).rename(held[info.path])
            yield info

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(LocalFiles, "list", listed_and_lost)
        yield
    for path, place in held.items():
        place.rename(path)


def told_failures(records: Sequence[Record]) -> str:
    return "\n".join(str(record.details.get("first_failures")) for record in records)


def test_day_by_day_with_files_damaged_and_the_api_in_a_storm_gives_what_one_calm_range_gives(
    company: Company, calm: dict[str, pl.DataFrame]
) -> None:
    observed = company.deployed(WITH_RUNS, {"timeout_seconds": LATE_S})
    archived, lost = audit_files(company)[:2]
    logs = sorted(company.demo.workspaces[0].log_folder.rglob("eventlog*"), key=os.path.getsize)
    rolled = [path for path in logs if path.suffix == ".gz"][-1]
    gone = [path for path in logs if path != rolled][-1]
    first = observed.config.workspaces[0].name
    with cut(archived), cut(rolled), vanishing(company.root, lost, gone):
        told = told_failures(observed.load(OF_FILES, *company.days, workspace=first))
    assert [path for path in (archived, rolled, lost, gone) if str(path) not in told] == []
    faults = company.emulator.faults
    faults.storm = Storm(seed=3, throttled=0.01, server_error=0.005, reset=0.005, retry_after=0)
    broken = FaultRule(Fault.CUT, "GET */jobs/list", {0})
    late = FaultRule(Fault.SLOW, "POST */clusters/events", {0, 7}, seconds=LATE_S + 1)
    for each in (broken, late):
        faults.add(each)
    observed.load_all(BRONZE, *([day] for day in company.days))
    assert differences(calm, observed.tables(BRONZE)) == []
    assert (broken.fired, late.fired) == (1, 2)


def load_shuffled(observed: Observed, modules: Sequence[Module]) -> None:
    """Load the last day first, but for what builds on the day before."""
    days = observed.company.days
    for workspace in observed.config.workspaces:
        for module in modules:
            ordered = days if module.is_carrying else days[::-1]
            if module.table.grain is Grain.CAPTURE:
                ordered = [days[-1] + timedelta(days=1)]
            for day in ordered:
                observed.load([module], day, workspace=workspace.name)


def test_the_last_day_first_every_page_twice_and_one_cluster_forbidden_costs_that_cluster_alone(
    company: Company, calm: dict[str, pl.DataFrame]
) -> None:
    events = calm["cluster_events_bronze"]
    workspace, cluster = events.select("organization_id", "cluster_id").row(0)
    forbidden = FaultRule(Fault.FORBIDDEN, "POST */clusters/events", about=cluster)
    twice = FaultRule(Fault.REPEATED_PAGE)
    for each in (forbidden, twice):
        company.emulator.faults.add(each)
    observed = company.deployed(WITH_RUNS)
    first = [module for module in BRONZE if module.table.name == "audit_log_bronze"]
    captures = [module for module in BRONZE if module.table.grain is Grain.CAPTURE]
    others = [module for module in BRONZE if module not in (*first, *captures)]
    load_shuffled(observed, [*first, *captures, *others])
    assert twice.fired > 100
    found = observed.tables(BRONZE)
    is_other = ~(pl.col("cluster_id") == cluster)
    assert found["cluster_events_bronze"].equals(events.filter(is_other))
    assert differences(calm, found) == ["cluster_events_bronze"]
    [module] = [each for each in BRONZE if each.table.name == "cluster_events_bronze"]
    assert module.errors is not None
    errors = observed.deployment.store.scan(module.errors).collect()
    of_cluster = (pl.col("organization_id") == workspace) & ~is_other
    told = errors.filter(of_cluster)
    assert told["error"].str.contains("PERMISSION_DENIED").all()
    assert set(told["partition_date"]) <= set(company.days)
    assert told.height >= 1
    assert not errors.filter(~of_cluster)["error"].str.contains("PERMISSION_DENIED").any()


def test_one_workspace_that_is_down_leaves_the_others_whole(
    company: Company, calm: dict[str, pl.DataFrame]
) -> None:
    observed = company.deployed()
    down, *up = observed.config.workspaces
    rule = FaultRule(Fault.FORBIDDEN, "*/clusters/*", workspace_id=down.organization_id)
    company.emulator.faults.add(rule)
    audit = [module for module in BRONZE if module.table.name == "audit_log_bronze"]
    captures = [module for module in BRONZE if module.table.name == "clusters_snapshot_bronze"]
    today = observed.config.day_of(observed.deployment.now())
    for each in (down, *up):
        observed.load(audit, *company.days, workspace=each.name)
    with pytest.raises(Exception, match="PERMISSION_DENIED"):
        observed.load(captures, today, workspace=down.name)
    for each in up:
        observed.load(captures, today, workspace=each.name)
    found = observed.tables([*audit, *captures])
    of_others = pl.col("organization_id") != down.organization_id
    assert found["audit_log_bronze"].equals(calm["audit_log_bronze"])
    expected = calm["clusters_snapshot_bronze"].filter(of_others)
    assert found["clusters_snapshot_bronze"].equals(expected)
