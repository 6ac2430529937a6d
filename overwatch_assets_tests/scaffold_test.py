from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets.config import load_config
from overwatch_assets.errors import ConfigError
from overwatch_assets.scaffold import FirstWorkspace, write_config
from overwatch_assets_tests.configuration.loading import NOON

WORKSPACE = FirstWorkspace("1234567890123456", "analytics")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_file_loads_and_its_first_day_is_sixty_days_ago(folder: Path) -> None:
    written = write_config(Path("overwatch.yaml"), WORKSPACE, now=NOON)
    assert written.first_day == date(2026, 9, 21)
    config = load_config(Path("overwatch.yaml"), now=NOON)
    [workspace] = config.workspaces
    assert workspace.first_day == date(2026, 9, 21)
    assert (workspace.organization_id, workspace.name) == ("1234567890123456", "analytics")
    assert (workspace.audit_logs, workspace.spark_event_logs) == (None, None)
    assert config.storage.root == str(folder / "overwatch_tables")


def test_the_first_day_is_written_as_a_date_and_stays_when_time_goes_on() -> None:
    write_config(Path("overwatch.yaml"), WORKSPACE, now=NOON)
    later = load_config(Path("overwatch.yaml"), now=datetime(2030, 1, 1, tzinfo=UTC))
    assert later.workspaces[0].first_day == date(2026, 9, 21)


def test_today_is_the_day_in_the_given_time_zone() -> None:
    late = datetime(2026, 11, 20, 23, tzinfo=UTC)
    berlin = write_config(Path("a.yaml"), WORKSPACE, timezone="Europe/Berlin", now=late)
    assert berlin.first_day == date(2026, 9, 22)
    assert berlin.next_command.endswith("--from 2026-09-22 --to 2026-11-20")


def test_the_next_command_loads_the_days_so_far() -> None:
    written = write_config(Path("overwatch.yaml"), WORKSPACE, now=NOON)
    days = "--from 2026-09-21 --to 2026-11-19"
    assert written.next_command == f"overwatch run --workspace analytics {days}"
    elsewhere = write_config(
        Path("my conf/a.yaml"), FirstWorkspace("1", "it's; rm"), storage_root="/a", now=NOON
    )
    assert elsewhere.next_command == (
        "OVERWATCH_CONFIG='my conf/a.yaml' overwatch run --workspace 'it'\"'\"'s; rm' " + days
    )


def test_paths_given_here_are_found_from_the_files_folder(folder: Path) -> None:
    workspace = FirstWorkspace(
        "1", "a", audit_path="logs/audit", log_folders=("logs/spark", "/var/logs", "s3://acme/logs")
    )
    path = Path("conf/overwatch.yaml")
    write_config(path, workspace, storage_root="tables", now=NOON)
    config = load_config(path, now=NOON)
    [loaded] = config.workspaces
    assert config.storage.root == str(folder / "tables")
    assert loaded.audit_logs is not None
    assert loaded.audit_logs.path == str(folder / "logs" / "audit")
    assert loaded.spark_event_logs is not None
    folders = (str(folder / "logs" / "spark"), "/var/logs", "s3://acme/logs")
    assert loaded.spark_event_logs.folders == folders
    assert loaded.spark_event_logs.from_clusters


@pytest.mark.parametrize(
    ("root", "option"),
    [
        ("s3://acme/overwatch", "secret_access_key: env:AWS_SECRET_ACCESS_KEY"),
        ("abfss://lake@acme.dfs.core.windows.net", "client_secret: env:AZURE_CLIENT_SECRET"),
        ("gs://acme", "service_account_key: env:GOOGLE_SERVICE_ACCOUNT_KEY"),
    ],
)
def test_the_commented_options_are_those_of_the_storage_and_load(root: str, option: str) -> None:
    path = Path("overwatch.yaml")
    write_config(path, WORKSPACE, storage_root=root, now=NOON)
    text = path.read_text(encoding="utf-8")
    assert option in text
    start, end = text.index("  # options:"), text.index("# Days worked on")
    uncommented = text[start:end].replace("  # ", "  ")
    path.write_text(text[:start] + uncommented + text[end:], encoding="utf-8")
    load_config(path, now=NOON)


@pytest.mark.parametrize("cloud", ["aws", "azure", "gcp"])
def test_the_commented_access_to_the_api_loads(cloud: Literal["aws", "azure", "gcp"]) -> None:
    path = Path("overwatch.yaml")
    write_config(path, FirstWorkspace("1", "a", cloud), now=NOON)
    text = path.read_text(encoding="utf-8")
    start, end = text.index("    # databricks:"), text.index("    # The folder that directly")
    written = text[:start] + text[start:end].replace("    # ", "    ") + text[end:]
    path.write_text(written, encoding="utf-8")
    [workspace] = load_config(path, now=NOON).workspaces
    assert workspace.databricks is not None
    assert str(workspace.databricks.client_secret) == "env:DATABRICKS_CLIENT_SECRET"


def test_a_file_that_exists_is_only_replaced_when_forced() -> None:
    path = Path("overwatch.yaml")
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"overwatch.yaml: the file exists; .* --force"):
        write_config(path, WORKSPACE, now=NOON)
    assert path.read_text(encoding="utf-8") == "mine"
    write_config(path, WORKSPACE, now=NOON, force=True)
    load_config(path, now=NOON)


def test_a_folder_that_cannot_be_is_told() -> None:
    Path("file").touch()
    with pytest.raises(ConfigError, match=r"file/overwatch.yaml: a folder of that path is a"):
        write_config(Path("file/overwatch.yaml"), WORKSPACE, now=NOON)


@pytest.mark.parametrize(
    ("workspace", "root", "timezone", "message"),
    [
        (FirstWorkspace("", "a"), "t", "UTC", "workspaces[0].workspace_id: '' is empty"),
        (FirstWorkspace("1.5e9", "a"), "t", "UTC", "a rounded number"),
        (WORKSPACE, "s3://u:hunter22@b", "UTC", "storage.root: holds a password"),
        (WORKSPACE, "t", "Mars", "timezone 'Mars' is no IANA time zone."),
    ],
)
def test_what_cannot_be_used_is_refused_and_nothing_is_written(
    workspace: FirstWorkspace, root: str, timezone: str, message: str
) -> None:
    path = Path("overwatch.yaml")
    with pytest.raises(ConfigError) as raised:
        write_config(path, workspace, storage_root=root, timezone=timezone, now=NOON)
    assert message in str(raised.value)
    assert "hunter22" not in str(raised.value)
    assert not path.exists()


NAMES = st.text(min_size=1, max_size=20).map(str.strip).filter(str.isprintable)


@given(NAMES, NAMES)
def test_whatever_text_is_accepted_comes_back_as_it_was(workspace_id: str, name: str) -> None:
    path = Path("any.yaml")
    workspace = FirstWorkspace(f"id {workspace_id}".strip(), f"name {name}".strip())
    try:
        write_config(path, workspace, now=NOON, force=True)
    except ConfigError:
        assert set(workspace_id) & set("|,[]") or "..." in workspace_id
    else:
        [found] = load_config(path, now=NOON).workspaces
        assert (found.organization_id, found.name) == (
            workspace.workspace_id,
            workspace.workspace_name,
        )
