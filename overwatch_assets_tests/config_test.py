import os
import pickle
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from overwatch_assets.config import Config, config_path, load_config
from overwatch_assets.errors import ConfigError
from overwatch_assets.module import Scope, Window
from overwatch_assets_tests.configuration.loading import MINIMAL, NOON, loaded, with_workspace


def test_a_minimal_configuration_has_these_defaults() -> None:
    config = loaded(MINIMAL)
    assert config.timezone == ZoneInfo("UTC")
    assert config.chunk_days == 7
    assert config.workers == len(os.sched_getaffinity(0))
    assert config.dagster_home == Path("/etc/overwatch/.dagster_home")
    assert config.secrets_directory is None
    [workspace] = config.workspaces
    assert workspace.organization_id == "1234567890123456"
    assert (workspace.name, workspace.cloud) == ("analytics", "aws")
    assert (workspace.first_day, workspace.retired_on) == (date(2026, 9, 21), None)
    assert (workspace.audit_logs, workspace.spark_event_logs) == (None, None)
    assert workspace.scopes == frozenset(Scope)


def test_prices_are_paths_and_contract_prices_by_sku() -> None:
    config = loaded(
        "prices: {instance_details: all.csv}\n"
        + with_workspace(
            "prices: {instance_details: own.csv}",
            "interactive_dbu_price: 0.5",
            "jobs_light_dbu_price: [{price: 0.2, valid_from: 2026-07-01}, {price: 0.1}]",
        )
    )
    [workspace] = config.workspaces
    paths = [each.instance_details for each in workspace.price_files]
    assert paths == ["/etc/overwatch/own.csv", "/etc/overwatch/all.csv"]
    prices = {
        sku: [(each.price, each.valid_from) for each in of_sku]
        for sku, of_sku in workspace.dbu_prices.items()
    }
    assert prices == {
        "interactive": [(0.5, None)],
        "automated": [],
        "sqlCompute": [],
        "jobsLight": [(0.1, None), (0.2, date(2026, 7, 1))],
    }


@pytest.mark.parametrize(
    "workspace_id", ["0123456789012345", "12345678901234567890", "1_000", "0x1F", "acme prod/eu"]
)
def test_an_unquoted_id_keeps_its_text(workspace_id: str) -> None:
    config = loaded(MINIMAL.replace('"1234567890123456"', workspace_id))
    assert config.workspaces[0].organization_id == workspace_id


def test_every_part_of_a_workspace_is_seen() -> None:
    [workspace] = loaded(
        with_workspace(
            "retired_on: 2026-12-31",
            "audit_logs: {path: audit/}",
            "spark_event_logs:",
            "  folders: [logs, S3A://acme/logs/]",
            "  from_clusters: yes",
            "  mounts: {'dbfs:/mnt/a/': s3n://acme/a}",
            "excluded_scopes: [SPARKEVENTS]",
        )
    ).workspaces
    assert workspace.retired_on == date(2026, 12, 31)
    assert workspace.audit_logs is not None
    assert workspace.audit_logs.model_dump() == {
        "path": "/etc/overwatch/audit",
        "layout": "bucket",
        "resource_id": None,
        "sql_warehouse": None,
    }
    assert workspace.spark_event_logs is not None
    assert workspace.spark_event_logs.model_dump() == {
        "folders": ("/etc/overwatch/logs", "s3://acme/logs"),
        "from_clusters": True,
        "mounts": {"/mnt/a": "s3://acme/a"},
        "mount_mapping": None,
    }
    assert workspace.scopes == {*Scope} - {Scope.SPARK_EVENTS}


@pytest.mark.parametrize(
    ("lines", "warehouse"),
    [
        ((), None),
        (("audit_logs: {sql_warehouse: w-1}",), "w-1"),
        (("audit_logs: {path: a}", "sql_warehouse: w-2"), "w-2"),
        (("audit_logs: {sql_warehouse: w-1}", "sql_warehouse: w-2"), "w-2"),
    ],
)
def test_system_tables_are_read_through_the_workspaces_warehouse_or_that_of_its_audit_logs(
    lines: tuple[str, ...], warehouse: str | None
) -> None:
    api = "databricks: {host: acme.example}"
    [workspace] = loaded(with_workspace(api, *lines)).workspaces
    assert workspace.sql_warehouse == warehouse


def test_a_workspace_is_found_by_id_and_by_name() -> None:
    config = loaded(MINIMAL)
    assert config.workspace("analytics") is config.workspace("1234567890123456")


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("Analytic", "did you mean analytics?"),
        ("x", "configured are 1234567890123456 (analytics)"),
    ],
)
def test_an_unknown_workspace_is_refused_with_those_there_are(name: str, remedy: str) -> None:
    with pytest.raises(ConfigError) as raised:
        loaded(MINIMAL).workspace(name)
    file = "/etc/overwatch/overwatch.yaml"
    assert str(raised.value) == f"{file}: there is no workspace {name!r}; {remedy}"


def test_days_are_those_of_the_configured_time_zone() -> None:
    config = loaded("timezone: Europe/Berlin\n" + MINIMAL)
    autumn = date(2026, 10, 25)
    since, until = datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC)
    assert config.window_of(autumn) == Window(since, until, "Europe/Berlin")
    assert config.day_of(since) == autumn
    assert config.day_of(until) == date(2026, 10, 26)
    assert config.days(date(2024, 2, 28), date(2024, 3, 1))[1] == date(2024, 2, 29)


def test_the_file_is_the_one_of_the_variable_or_overwatch_yaml() -> None:
    assert config_path({}) == Path("overwatch.yaml")
    assert config_path({"OVERWATCH_CONFIG": ""}) == Path("overwatch.yaml")
    assert config_path({"OVERWATCH_CONFIG": "/a/b.yaml"}) == Path("/a/b.yaml")


def test_paths_begin_in_the_folder_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.yaml").write_text(MINIMAL)
    monkeypatch.chdir(tmp_path)
    config = load_config(Path("a/b.yaml"), now=NOON)
    assert config.path == Path("a/b.yaml")
    assert config.storage.root == str(tmp_path / "a" / "tables")


def test_secrets_are_looked_for_in_the_configured_directory() -> None:
    config = loaded("secrets_directory: secrets\n" + MINIMAL)
    assert config.secrets().directory == Path("/etc/overwatch/secrets")


def test_a_configuration_can_be_handed_to_another_process() -> None:
    config = loaded(with_workspace("source_storage: [{root: s3://a, options: {token: env:B}}]"))
    copied = pickle.loads(pickle.dumps(config))  # noqa: S301  pickled here
    assert isinstance(copied, Config)
    assert copied == config


def test_loading_a_configuration_imports_neither_dagster_nor_arrow() -> None:
    heavy = "{'dagster', 'pyarrow', 'deltalake', 'duckdb'}"
    program = f"import sys, overwatch_assets.config; print({heavy} & set(sys.modules))"
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert found.stdout == "set()\n"
