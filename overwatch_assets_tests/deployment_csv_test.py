import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from overwatch_assets import cli
from overwatch_assets.config import Config
from overwatch_assets.deployment_csv import (
    BESIDE,
    EVENT_HUB,
    KNOWN,
    OBSOLETE,
    PRICES,
    Fate,
    Import,
    import_deployment,
)
from overwatch_assets.errors import ConfigError
from overwatch_assets.module import Scope
from overwatch_assets_tests.configuration.loading import loaded

FILE = Path("deployment.csv")
ROW = {
    "workspace_name": "prod",
    "workspace_id": "5206439413157315",
    "workspace_url": "https://acme.cloud.databricks.com",
    "api_url": "https://acme.cloud.databricks.com/",
    "cloud": "AWS",
    "primordial_date": "2026-09-01",
    "storage_prefix": "s3://acme/overwatch/",
    "etl_database_name": "overwatch_etl",
    "consumer_database_name": "overwatch",
    "secret_scope": "overwatch",
    "secret_key_dbpat": "pat",
    "auditlogprefix_source_path": "s3://acme-audit/workspaceId=5206439413157315",
    "interactive_dbu_price": "0.55",
    "automated_dbu_price": "0.3",
    "sql_compute_dbu_price": "0.22",
    "jobs_light_dbu_price": "0.1",
    "max_days": "30",
    "excluded_scopes": "null",
    "active": "true",
}


def written(*rows: dict[str, str], separator: str = ",") -> bytes:
    text = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, names, delimiter=separator, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def imported(*rows: dict[str, str], mounts: bytes | None = None) -> Import:
    return import_deployment(FILE, written(*rows), lambda _: mounts)


def config_of(*rows: dict[str, str], mounts: bytes | None = None) -> Config:
    return loaded(imported(*rows, mounts=mounts).text)


def fates(made: Import) -> dict[str, set[Fate]]:
    found: dict[str, set[Fate]] = {}
    for note in made.notes:
        found.setdefault(note.column, set()).add(note.fate)
    return found


def test_a_deployment_becomes_a_configuration_that_loads() -> None:
    config = config_of(ROW)
    [workspace] = config.workspaces
    assert (workspace.organization_id, workspace.name) == ("5206439413157315", "prod")
    assert (workspace.cloud, str(workspace.first_day)) == ("aws", "2026-09-01")
    assert config.storage.root == "s3://acme/overwatch/overwatch_assets"
    assert workspace.audit_logs is not None
    assert workspace.audit_logs.path == ROW["auditlogprefix_source_path"]
    assert workspace.databricks is not None
    assert workspace.databricks.host == "https://acme.cloud.databricks.com"
    assert str(workspace.databricks.token) == "env:DATABRICKS_TOKEN_PROD"
    assert workspace.spark_event_logs is not None
    assert workspace.spark_event_logs.from_clusters


def test_every_column_that_is_filled_is_told() -> None:
    everything = (
        dict.fromkeys(KNOWN, "1") | ROW | {"proxy_host": "proxy", "excluded_scopes": "jobs"}
    )
    everything["sql_endpoint"] = "/sql/1.0/warehouses/789aa345bb12cd34"
    everything["auditlogprefix_source_path"] = "system"
    assert fates(imported(everything)).keys() == KNOWN
    idle = ROW | {
        "proxy_port": "1",
        "proxy_user_name": "u",
        "sql_endpoint": "/sql/1.0/warehouses/w",
    }
    filled = {name for name, value in idle.items() if value not in {"", "null"}}
    assert fates(imported(idle)).keys() == filled


def test_what_has_no_use_here_is_obsolete_and_says_why() -> None:
    made = imported(ROW)
    obsolete = {note.column: note.text for note in made.notes if note.fate is Fate.OBSOLETE}
    assert obsolete.keys() - BESIDE.keys() == OBSOLETE.keys() & ROW.keys()
    assert all(obsolete.values())


def test_the_system_table_is_read_through_the_warehouse_of_the_endpoint() -> None:
    row = ROW | {"auditlogprefix_source_path": "System", "sql_endpoint": "/sql/1.0/warehouses/w-1"}
    [workspace] = config_of(row).workspaces
    assert workspace.audit_logs is not None
    assert workspace.audit_logs.sql_warehouse == "w-1"
    made = imported(ROW | {"auditlogprefix_source_path": "system"})
    assert fates(made)["auditlogprefix_source_path"] == {Fate.DECIDE}
    assert loaded(made.text).workspaces[0].audit_logs is None


@pytest.mark.parametrize("column", EVENT_HUB)
def test_an_event_hub_is_to_be_decided_and_its_secret_is_not_repeated(column: str) -> None:
    connection = "Endpoint=sb://a.servicebus.windows.net;SharedAccessKey=hunter22"
    made = imported(ROW | {column: connection, "cloud": "azure"})
    assert "hunter22" not in made.text + str(made.notes)


def test_scopes_are_excluded_whatever_their_capitals_and_separators() -> None:
    made = imported(ROW | {"excluded_scopes": "SparkEvents:dbsql,POOLS"})
    [workspace] = loaded(made.text).workspaces
    assert {*Scope} - workspace.scopes == {Scope.SPARK_EVENTS, Scope.DBSQL, Scope.POOLS}
    assert fates(imported(ROW | {"excluded_scopes": "audit:sparks"}))["excluded_scopes"] == {
        Fate.DECIDE
    }


def test_pace_and_proxy_are_mapped() -> None:
    row = ROW | {"thread_pool_size": "8", "api_waiting_time": "300000"}
    row |= {"proxy_host": "proxy.acme.example", "proxy_port": "3128", "enable_unsafe_SSL": "true"}
    made = imported(row)
    databricks = loaded(made.text).workspaces[0].databricks
    assert databricks is not None
    assert (databricks.parallel_requests, databricks.retry_seconds) == (8, 300)
    assert databricks.proxy == "http://proxy.acme.example:3128"
    assert fates(made)["enable_unsafe_ssl"] == {Fate.DECIDE}


def test_mounts_of_the_workspace_alone_are_taken() -> None:
    mounts = b"mountPoint,source,workspace_id\n/mnt/a/,s3a://acme/a,5206439413157315\n"
    mounts += b"/mnt/b,s3a://acme/b,77\n/,s3a://acme/root,5206439413157315\n"
    [workspace] = config_of(ROW | {"mount_mapping_path": "m.csv"}, mounts=mounts).workspaces
    assert workspace.spark_event_logs is not None
    assert workspace.spark_event_logs.mounts == {"/mnt/a": "s3://acme/a"}
    unreadable = imported(ROW | {"mount_mapping_path": "m.csv"})
    assert fates(unreadable)["mount_mapping_path"] == {Fate.DECIDE}


def test_older_names_of_columns_are_known() -> None:
    row = {name: value for name, value in ROW.items() if name != "storage_prefix"}
    row["etl_storage_prefix"] = ROW["storage_prefix"]
    assert config_of(row).storage.root == "s3://acme/overwatch/overwatch_assets"


def test_rows_that_are_not_active_are_left_out_and_told() -> None:
    made = imported(ROW, ROW | {"workspace_name": "lab", "workspace_id": "2", "active": "FALSE"})
    assert [each.name for each in loaded(made.text).workspaces] == ["prod"]
    active = {note.workspace: note.text for note in made.notes if note.column == "active"}
    assert active == {
        "prod": "rows that are active are taken",
        "lab": "the row is left out: false",
    }


def test_a_spreadsheets_separator_byte_order_mark_and_line_ends_are_read() -> None:
    content = b"\xef\xbb\xbf" + written(ROW, separator=";").replace(b"\n", b"\r\n")
    assert loaded(import_deployment(FILE, content, lambda _: None).text).workspaces


def test_prices_are_kept() -> None:
    assert all(f"{name}: '{ROW[name]}'" in imported(ROW).text for name in PRICES)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"\xff\xfe", "line 1: is not UTF-8 text"),
        (b"a,b\n1,2\n", "has no column workspace_name"),
        (written(ROW | {"storge": "1"}), "'storge' is no column of Overwatch's"),
        (written(ROW | {"active": "false"}), "no row is active"),
        (written(ROW, ROW | {"storage_prefix": "s3://other"}), "different storage prefixes"),
        (
            written(ROW) + b"a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u\n",
            "a row has 21 values for 19",
        ),
        (written(ROW).replace(b"prod", b'"prod'), "is no CSV"),
    ],
)
def test_what_can_not_be_used_is_refused_with_the_remedy(content: bytes, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        import_deployment(FILE, content, lambda _: None)


def told_of(content: bytes) -> str:
    """Everything that is said of a file: what is made of it, or why nothing is."""
    try:
        made = import_deployment(FILE, content, lambda _: content)
    except ConfigError as refused:
        return str(refused)
    return made.text + str(made.notes)


@pytest.mark.parametrize("column", sorted(KNOWN))
def test_a_secret_in_any_column_is_not_repeated(column: str) -> None:
    told = told_of(written(ROW | {column: "https://joe:hunter22@acme.example"}))
    assert FILE.name in told
    assert "hunter22" not in told


cells = st.text(alphabet=st.characters(codec="utf-8"), max_size=20) | st.sampled_from(
    ["null", "true", "system", "1e30", '"', "a:b", "s3://x", "/mnt", "2.5E+15", "=cmd()"]
)


lines = st.lists(cells, max_size=6).map(",".join)
tables = st.lists(lines, max_size=4).map("\n".join).map(str.encode)


@settings(max_examples=300)
@given(st.binary(max_size=200) | tables)
def test_any_content_is_imported_or_refused(content: bytes) -> None:
    for prefix in (b"", ",".join(ROW).encode() + b"\n"):
        assert FILE.name in told_of(prefix + content)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(sorted(KNOWN)), cells))
def test_any_values_are_imported_or_refused(values: dict[str, str]) -> None:
    assert FILE.name in told_of(written(ROW | values))


def test_the_command_writes_the_file_and_tells_what_is_open(tmp_path: Path) -> None:
    source, target = tmp_path / "deployment.csv", tmp_path / "overwatch.yaml"
    source.write_bytes(written(ROW))
    arguments = ["config", "import", str(source), "--to", str(target)]
    done = CliRunner().invoke(cli.cli, arguments, standalone_mode=False)
    assert done.return_value == 0, done.output
    assert "to decide (1)" in done.output
    assert target.read_text(encoding="utf-8").startswith("# Made of deployment.csv")
    again = CliRunner().invoke(cli.cli, arguments, standalone_mode=False)
    assert isinstance(again.exception, ConfigError)
    told = CliRunner().invoke(cli.cli, [*arguments, "--force", "--json"], standalone_mode=False)
    report = json.loads(told.output)
    assert {each["fate"] for each in report["columns"]} == {"mapped", "obsolete", "to decide"}


def test_a_configuration_that_needs_mending_is_written_and_says_2(tmp_path: Path) -> None:
    source, target = tmp_path / "deployment.csv", tmp_path / "overwatch.yaml"
    source.write_bytes(written(ROW | {"workspace_id": "5.2E+15"}))
    arguments = ["config", "import", str(source), "--to", str(target)]
    done = CliRunner().invoke(cli.cli, arguments, standalone_mode=False)
    assert done.return_value == cli.USAGE
    assert "is a rounded number" in done.output
    assert target.exists()
