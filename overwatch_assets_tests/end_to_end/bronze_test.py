"""The whole bronze layer over the made-up company: however it is loaded, the tables are equal."""

from collections.abc import Iterator

import polars as pl
import pytest

from overwatch_assets.demo.emulator.faults import Fault, FaultRule, Storm
from overwatch_assets.module import Layer
from overwatch_assets.registry import in_load_order
from overwatch_assets_tests.end_to_end.company import Company, open_company

BRONZE = [module for module in in_load_order() if module.layer is Layer.BRONZE]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    root = tmp_path_factory.mktemp("company")
    with open_company(root, days=2, scale=0.3) as company:
        yield company


@pytest.fixture(scope="module")
def calm(company: Company) -> dict[str, pl.DataFrame]:
    """The tables as one undisturbed load makes them."""
    observed = company.deployed()
    observed.load_all(BRONZE, company.days)
    found = observed.tables(BRONZE)
    quiet = {"job_runs_snapshot_bronze", "spark_events_bronze"}
    assert {name for name, rows in found.items() if rows.is_empty()} == quiet
    return found


@pytest.fixture(autouse=True)
def fair_weather(company: Company) -> Iterator[None]:
    yield
    company.emulator.faults.clear()
    company.emulator.faults.storm = None


def differences(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> list[str]:
    return [name for name in one if not one[name].equals(other[name])]


def test_day_by_day_in_a_storm_of_faults_gives_what_one_calm_range_gives(
    company: Company, calm: dict[str, pl.DataFrame]
) -> None:
    faults = company.emulator.faults
    faults.storm = Storm(seed=3, throttled=0.01, server_error=0.005, reset=0.005, retry_after=0)
    repeated = FaultRule(Fault.REPEATED_PAGE, "POST */clusters/events", {1, 4})
    broken = FaultRule(Fault.CUT, "GET */jobs/list", {0})
    for each in (repeated, broken):
        faults.add(each)
    observed = company.deployed()
    observed.load_all(BRONZE, *([day] for day in company.days))
    assert differences(calm, observed.tables(BRONZE)) == []
    assert broken.fired == 1


def test_one_forbidden_cluster_is_told_and_costs_no_other(
    company: Company, calm: dict[str, pl.DataFrame]
) -> None:
    events = calm["cluster_events_bronze"]
    workspace, cluster = events.select("organization_id", "cluster_id").row(0)
    rule = FaultRule(Fault.FORBIDDEN, "POST */clusters/events", about=cluster)
    company.emulator.faults.add(rule)
    observed = company.deployed()
    observed.load_all(BRONZE, company.days)
    found = observed.tables(BRONZE)
    is_other = ~(pl.col("cluster_id") == cluster)
    assert found["cluster_events_bronze"].equals(events.filter(is_other))
    assert differences(calm, found) == ["cluster_events_bronze"]
    [module] = [each for each in BRONZE if each.table.name == "cluster_events_bronze"]
    assert module.errors is not None
    errors = observed.deployment.store.scan(module.errors).collect()
    of_cluster = (pl.col("organization_id") == workspace) & ~is_other
    assert errors.filter(of_cluster)["error"].str.contains("PERMISSION_DENIED").to_list() == [True]
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
