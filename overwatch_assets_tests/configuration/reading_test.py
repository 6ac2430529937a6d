import random
import re
from datetime import UTC, datetime

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from overwatch_assets.config import config_of
from overwatch_assets.configuration.document import parse_document
from overwatch_assets.errors import ConfigError
from overwatch_assets_tests.configuration.loading import (
    FILE,
    MINIMAL,
    NOON,
    STORAGE,
    WORKSPACES,
    loaded,
    refused,
    with_workspace,
)
from overwatch_assets_tests.damage import damaged

CANARY = "hunter22"
REMEDY = 'Put the secret elsewhere and write env:NAME, file:PATH or "{{secrets/scope/key}}".'


def test_a_problem_names_file_line_key_value_and_remedy() -> None:
    assert refused("timezone: Europe/Berlim\n" + MINIMAL) == (
        "/etc/overwatch/overwatch.yaml: line 1, timezone: 'Europe/Berlim' is no IANA time zone. "
        "Did you mean Europe/Berlin?"
    )


def test_all_problems_are_told_at_once_in_the_order_of_the_lines() -> None:
    text = """\
timezone: Mars/Olympus
storage:
  root: wasbs://container@account.blob.core.windows.net/path
chunk_days: seven
workers: 0
workspaces:
  - workspace_id: 2.53E+15
    workspace_name: a
    workspace_name: b
    clod: aws
    primordial_date: 2026-11-21
    retired_on: 2026-02-30
    excluded_scopes: [sparkevent]
  - workspace_id: "1"
    workspace_name: A
    cloud: awz
    primordial_date: 2001-01-01
    retired_on: 2001-01-01
    audit_logs: {}
    spark_event_logs: {}
"""
    lines = refused(text).splitlines()
    assert lines[0] == "/etc/overwatch/overwatch.yaml has 17 problems:"
    places = [(int(number), key) for number, key in re.findall(r"line (\d+), ([^:]+):", str(lines))]
    first, second = "workspaces[0]", "workspaces[1]"
    assert places == [
        (1, "timezone"),
        (3, "storage.root"),
        (4, "chunk_days"),
        (5, "workers"),
        (7, f"{first}.workspace_id"),
        (7, f"{first}.cloud"),
        (9, f"{first}.workspace_name"),
        (10, f"{first}.clod"),
        (11, f"{first}.primordial_date"),
        (12, f"{first}.retired_on"),
        (13, f"{first}.excluded_scopes[0]"),
        (15, f"{second}.workspace_name"),
        (16, f"{second}.cloud"),
        (17, f"{second}.primordial_date"),
        (18, f"{second}.retired_on"),
        (19, f"{second}.audit_logs"),
        (20, f"{second}.spark_event_logs"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            WORKSPACES,
            "storage: is missing. Write for example `storage: {root: overwatch_tables}`. Where",
        ),
        (MINIMAL + "chunk_day: 3", "line 7, chunk_day: is no key here. Did you mean chunk_days?"),
        (
            MINIMAL + "zzz: 3",
            "line 7, zzz: is no key here. Keys here: timezone, storage, chunk_days, workers, ",
        ),
        (
            MINIMAL + "etl_storage_prefix: s3://acme/etl",
            "etl_storage_prefix: is no key here. It is a column of Overwatch's: write it",
        ),
        (
            with_workspace("api_url: https://acme.cloud.databricks.com"),
            "api_url: is no key here. It is a column of Overwatch's: write it as databricks.host;",
        ),
        (MINIMAL + "chunk_days: 0", "chunk_days: '0' must be at least 1. Write for example"),
        (MINIMAL + "chunk_days: 367", "chunk_days: '367' must be at most 366. Write for example"),
        (MINIMAL + "chunk_days: 1.5", "chunk_days: '1.5' must be a whole number. Write for"),
        (MINIMAL + "timezone: []", "timezone: must be text. Write one line of text."),
        (MINIMAL + "timezone: ''", "timezone: '' is empty. Write a value, or leave the key out."),
        (MINIMAL + "timezone: localtime", "timezone: 'localtime' is no IANA time zone."),
        (MINIMAL + "timezone: Europe", "timezone: 'Europe' is no IANA time zone."),
        (MINIMAL + "dagster_home: s3://a", "dagster_home: 's3://a' must be a local folder"),
        (MINIMAL + "dagster_home: ~nobody-here/a", "names the home of an unknown user"),
        (
            with_workspace("interactive_dbu_price: 0,55"),
            "workspaces[0].interactive_dbu_price: '0,55' is no price. Write USD per DBU, with a",
        ),
        (with_workspace("interactive_dbu_price: -1"), "'-1' is no price. Write USD per DBU"),
        (
            with_workspace("interactive_dbu_price: [{price: x}]"),
            "interactive_dbu_price[0].price: 'x' must be a number. Write for example `price: 0.49`",
        ),
        (
            with_workspace("interactive_dbu_price: [{price: 1}, {price: 2}]"),
            "interactive_dbu_price: has two prices from the same day on. Give all but one of them",
        ),
        (
            with_workspace("prices: {instances: a.csv}"),
            "workspaces[0].prices.instances: is no key here. Did you mean instance_details?",
        ),
        (STORAGE + "workspaces: []", "line 2, workspaces: lists no workspace. Add one"),
        (STORAGE + "workspaces: {a: b}", "line 2, workspaces: must be a list."),
        (STORAGE + "workspaces: [a]", "workspaces[0]: 'a' must be a mapping of keys to values."),
        ("storage: tables\n" + WORKSPACES, "line 1, storage: 'tables' must be a mapping"),
        (
            with_workspace("retired_on: 2026-09-20"),
            "'2026-09-20' lies before the first day, 2026-09-21. Write the last day",
        ),
        (with_workspace("retired_on: 26-09-20"), "is no day of the calendar. Write it as YYYY-MM"),
        (with_workspace("retired_on: 1790000000"), "is no day of the calendar. Write it as YYYY"),
        (with_workspace("enabled_scopes: [sparkEvents]"), "leaves out audit, which all others"),
        (with_workspace("excluded_scopes: [Audit]"), "switches off audit, which all others read."),
        (
            with_workspace("enabled_scopes: [audit, jobs]"),
            "workspaces[0]: loads jobs without clusters, in which they look things up. Add clus",
        ),
        (
            with_workspace("excluded_scopes: [clusters]"),
            "loads clusterEvents and jobs without clusters",
        ),
        (
            with_workspace("enabled_scopes: [audit]", "excluded_scopes: [sparkEvents]"),
            "line 8, workspaces[0].excluded_scopes: stands beside `enabled_scopes`. Keep one",
        ),
        (
            with_workspace("spark_event_logs: {from_clusters: true}"),
            "workspaces[0]: has `from_clusters`, but neither audit logs nor an API to find",
        ),
        (
            with_workspace("audit_logs: {layout: bucket}"),
            "workspaces[0].audit_logs: names no route. Give path for delivered files, or",
        ),
        (
            with_workspace("audit_logs: {path: a, sql_warehouse: 789aa345bb12cd34}"),
            "workspaces[0].audit_logs: names two routes. Give path for delivered files, or",
        ),
        (
            with_workspace("audit_logs: {sql_warehouse: 789aa345bb12cd34}"),
            "workspaces[0]: reads audit logs through a SQL warehouse, but has no `databricks`",
        ),
        (
            with_workspace("sql_warehouse: 789aa345bb12cd34"),
            "workspaces[0]: has a `sql_warehouse`, but no `databricks` to reach it",
        ),
        (
            with_workspace("spark_event_logs: {from_clusters: maybe}"),
            "from_clusters: 'maybe' must be true or false. Write for example `from_clusters: true`",
        ),
        (
            with_workspace("spark_event_logs: {folders: [a], mounts: {mnt: b}}"),
            "mounts: has a mount point that does not begin with /, or is / itself. Write for",
        ),
        (
            with_workspace("spark_event_logs: {folders: [a], mounts: {/mnt/a: b, /mnt/a/: c}}"),
            "mounts: names a mount point twice. Keep one of /mnt/a.",
        ),
        (
            with_workspace("audit_logs: {path: 'dbfs:/mnt/a'}"),
            "reads dbfs:/mnt/a, which only the workspace can. Configure `databricks`",
        ),
        (
            with_workspace("spark_event_logs: {folders: [/Volumes/a/b/c]}"),
            "reads /Volumes/a/b/c, which only the workspace can. Configure `databricks`",
        ),
        (with_workspace("audit_logs: {path: 'dbfs:/mnt/../a'}"), "leaves its own folder."),
        (with_workspace("audit_logs: {path: /Volumes/main/ops}"), "names no volume. Write /Vol"),
        (with_workspace("audit_logs: {path: 's3://'}"), "'s3://' is neither a path nor a URL."),
        (with_workspace("audit_logs: {path: 's3://a/../b'}"), "is neither a path nor a URL."),
        (
            with_workspace("audit_logs: {path: a, layout: bukket}"),
            "audit_logs.layout: 'bukket' must be 'bucket' or 'azure'. Did you mean bucket?",
        ),
        (
            "storage: {root: hdfs://name/path}\n" + WORKSPACES,
            "storage.root: 'hdfs://name/path' lies in no storage that can hold tables.",
        ),
        (
            "storage: {root: a, options: {region: b}}\n" + WORKSPACES,
            "storage.options.region: is no key here. A local folder has no options; remove it.",
        ),
        (
            "storage: {root: s3://a, options: {regoin: b}}\n" + WORKSPACES,
            "storage.options.regoin: is no key here. Did you mean region?",
        ),
        (
            "storage: {root: abfss://container/path}\n" + WORKSPACES,
            "storage.root: 'abfss://container/path' names no storage account. Write abfss://",
        ),
        (
            "storage: {root: 'abfss://c@one.dfs.core.windows.net', options: {account_name: two}}\n"
            + WORKSPACES,
            "storage.options.account_name: 'two' is not the root's account, one. Leave it out.",
        ),
    ],
)
def test_each_mistake_has_its_own_words(text: str, message: str) -> None:
    assert message in refused(text)


def test_options_are_not_blamed_for_a_root_that_is_wrong() -> None:
    text = "storage: {root: wasbs://c@a/b, options: {tenant_id: env:TENANT}}\n" + WORKSPACES
    message = refused(text)
    assert "storage.root" in message
    assert "tenant_id" not in message


@pytest.mark.parametrize("workspace_id", ["2.53E+15", "1234567890123456.0", "1e15", "1,5"])
def test_an_id_that_a_spreadsheet_rounded_is_refused(workspace_id: str) -> None:
    text = MINIMAL.replace('"1234567890123456"', workspace_id)
    assert "is a rounded number; a spreadsheet has taken digits from the id." in refused(text)


@pytest.mark.parametrize("workspace_id", ["a|b", "a,b", "[a]", "a...b", "a" * 129])
def test_an_id_that_can_name_no_partition_is_refused(workspace_id: str) -> None:
    text = MINIMAL.replace("1234567890123456", workspace_id)
    assert "can't name a partition: at most 128 characters, without ... | , [ ]" in refused(text)


def test_the_folder_of_account_level_events_is_no_workspace() -> None:
    text = MINIMAL.replace("1234567890123456", "0")
    assert "is where account-level events are delivered, not a workspace." in refused(text)


@pytest.mark.parametrize(
    ("workspace_id", "name", "what"),
    [
        ("1234567890123456", "other", "is the workspace_id of workspaces[0] already"),
        ("2", "ANALYTICS ", "is the workspace_name of workspaces[0] already"),
        ("2", "1234567890123456", "is the workspace_id of workspaces[0] already"),
    ],
)
def test_ids_and_names_tell_workspaces_apart(workspace_id: str, name: str, what: str) -> None:
    second = WORKSPACES.removeprefix("workspaces:\n").replace("1234567890123456", workspace_id)
    assert what in refused(MINIMAL + second.replace("analytics", f'"{name}"'))


def test_today_is_the_day_in_the_configured_time_zone() -> None:
    late = datetime(2026, 9, 20, 23, tzinfo=UTC)
    assert "'2026-09-21' lies in the future; today is 2026-09-20." in refused(MINIMAL, late)
    assert loaded("timezone: Europe/Berlin\n" + MINIMAL, late)


@pytest.mark.parametrize(
    "text",
    [
        "storage: {root: 's3://user:hunter22@bucket'}\n" + WORKSPACES,
        "storage: {root: 'https://a.b/c?sig=hunter22'}\n" + WORKSPACES,
        "storage: {root: s3://a, options: {secret_access_key: hunter22}}\n" + WORKSPACES,
        "storage: {root: s3://a, options: {secret_acces_key: hunter22}}\n" + WORKSPACES,
        "storage: {root: s3://a, options: {token: [hunter22]}}\n" + WORKSPACES,
        "storage: {root: s3://a, options: {token: {a: hunter22}}}\n" + WORKSPACES,
        "storage: {root: s3://a, options: {token: 'env:hunter22 x'}}\n" + WORKSPACES,
        "storage: {root: s3://a, options: {region: 'Bearer hunter22'}}\n" + WORKSPACES,
        "storage: {root: gs://a, options: {service_account_key: '{hunter22}'}}\n" + WORKSPACES,
        "storage: {root: a, client_options: {proxy_url: 'http://u:hunter22@p'}}\n" + WORKSPACES,
        "storage: {root: a, password: hunter22}\n" + WORKSPACES,
        "storage: {root: a, options: hunter22\n" + WORKSPACES,
        "token: hunter22\n" + MINIMAL,
        "token: *hunter22\n" + MINIMAL,
        "token: !hunter22 a\n" + MINIMAL,
        "'Bearer hunter22': a\n" + MINIMAL,
        with_workspace("source_storage: [{root: s3://a, options: {token: hunter22}}]"),
        with_workspace("audit_logs: {path: 'wasbs://u:hunter22@b/c'}"),
    ],
)
def test_a_secret_written_out_is_refused_and_not_repeated(text: str) -> None:
    assert CANARY not in refused(text)


def test_a_secret_written_out_is_refused_with_the_forms_of_a_reference() -> None:
    text = "storage: {root: s3://a, options: {secret_access_key: hunter22}}\n" + WORKSPACES
    key = "line 1, storage.options.secret_access_key"
    what = "must not be written here, only referred to"
    assert refused(text).endswith(f"{key}: {what}. {REMEDY}")


def test_a_file_reference_needs_the_configured_directory() -> None:
    text = "storage: {root: s3://a, options: {token: 'file:../b'}}\n" + WORKSPACES
    assert "names a file, but no secrets_directory is configured" in refused(text)
    directory = "secrets_directory: secrets\n"
    message = "names a file that is not below /etc/overwatch/secrets. Move it below"
    assert message in refused(text + directory)
    assert loaded(text.replace("../b", "b") + directory)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=5,
)
KEYS = st.sampled_from(
    ["timezone", "storage", "chunk_days", "workers", "dagster_home", "secrets_directory", "other"]
)


@given(st.dictionaries(KEYS, JSON), JSON)
def test_any_values_are_loaded_or_refused(values: dict[str, object], workspace: object) -> None:
    text = yaml.dump({**values, "workspaces": [workspace]})
    try:
        message = str(loaded(text).path)
    except ConfigError as error:
        message = str(error)
    assert message.startswith("/etc/overwatch/overwatch.yaml")


def test_three_thousand_damaged_files_are_loaded_or_refused_by_name() -> None:
    randomly = random.Random(20240506)  # noqa: S311 - reproducible damage, no secret
    whole = with_workspace(
        "audit_logs: {path: s3://acme/audit}",
        "spark_event_logs: {from_clusters: true, mounts: {/mnt/logs: s3://acme/logs}}",
        "databricks: {host: https://acme.cloud.databricks.com, token: env:TOKEN}",
    )
    lines = whole.encode().splitlines()
    refusals: list[str] = []
    for _ in range(3000):
        at = randomly.randrange(len(lines))
        content = b"\n".join([*lines[:at], damaged(lines[at], randomly), *lines[at + 1 :]])
        try:
            config_of(parse_document(FILE, content), now=NOON)
        except ConfigError as error:
            refusals.append(str(error))
    assert 1000 < len(refusals) < 3000
    assert [each for each in refusals if not each.startswith(f"{FILE}")] == []
