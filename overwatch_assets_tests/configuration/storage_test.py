from collections.abc import Sequence

import pytest
from dagster_deltalake import config as deltalake
from pydantic import BaseModel, SecretStr, ValidationError

from overwatch_assets.configuration.storage import (
    AzureOptions,
    ClientOptions,
    GcsOptions,
    LocalOptions,
    Provider,
    ResolvedStorage,
    S3Options,
    Storage,
)
from overwatch_assets.errors import ConfigError
from overwatch_assets.provider_config import AzureServiceConfig
from overwatch_assets.secrets import Secrets, is_secret_name
from overwatch_assets_tests.configuration.loading import MINIMAL, WORKSPACES, loaded

AZURE_ROOT = "abfss://container@acme.dfs.core.windows.net/overwatch"


def storage(text: str) -> Storage:
    return loaded(f"storage: {text}\n{WORKSPACES}").storage


def resolved(text: str, **environment: str) -> ResolvedStorage:
    return storage(text).resolve(Secrets(environment=environment))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (LocalOptions, deltalake.LocalConfig),
        (S3Options, deltalake.S3Config),
        (AzureOptions, AzureServiceConfig),
        (GcsOptions, deltalake.GcsConfig),
        (ClientOptions, deltalake.ClientConfig),
    ],
)
def test_options_are_the_fields_of_dagster_deltalakes_classes(
    ours: type[BaseModel], theirs: type[BaseModel]
) -> None:
    assert set(ours.model_fields) == set(theirs.model_fields) - {"provider"}


def test_dagster_deltalake_has_no_endpoint_of_azure_so_that_ours_is_needed() -> None:
    theirs = set(deltalake.AzureConfig.model_fields)
    assert set(AzureServiceConfig.model_fields) - theirs == {"endpoint"}


@pytest.mark.parametrize("model", [S3Options, AzureOptions, GcsOptions, ClientOptions])
def test_a_field_named_like_a_secret_takes_references_only(model: type[BaseModel]) -> None:
    for name in model.model_fields:
        is_secret = is_secret_name(name) and name != "application_credentials"
        takes_text = True
        try:
            model.model_validate({name: "true" if model is ClientOptions else "plain"})
        except ValidationError as error:
            takes_text = error.errors()[0]["type"] != "overwatch"
        assert takes_text is not is_secret, name


@pytest.mark.parametrize(
    ("written", "root", "provider"),
    [
        ("tables/", "/etc/overwatch/tables", Provider.LOCAL),
        ("../a/./b", "/etc/a/b", Provider.LOCAL),
        ("/data/lake/", "/data/lake", Provider.LOCAL),
        ("file:///data/my%20lake", "/data/my lake", Provider.LOCAL),
        ("s3://bucket/path/", "s3://bucket/path", Provider.S3),
        ("S3A://bucket", "s3://bucket", Provider.S3),
        ("gs://bucket/path", "gs://bucket/path", Provider.GCS),
        (AZURE_ROOT, AZURE_ROOT, Provider.AZURE),
        (AZURE_ROOT.replace("abfss", "abfs"), AZURE_ROOT, Provider.AZURE),
    ],
)
def test_the_kind_of_a_storage_follows_from_its_root(
    written: str, root: str, provider: Provider
) -> None:
    found = storage(f"{{root: '{written}'}}")
    assert (found.root, found.provider) == (root, provider)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("dbfs:/mnt/logs/", "dbfs:/mnt/logs"),
        ("DBFS:///mnt/logs", "dbfs:/mnt/logs"),
        ("/Volumes/main/ops/logs/", "/Volumes/main/ops/logs"),
        ("dbfs:/Volumes/main/ops/logs/a", "/Volumes/main/ops/logs/a"),
        ("file:///Volumes/Disk/logs", "file:///Volumes/Disk/logs"),
        ("../../Volumes/Disk/logs", "file:///Volumes/Disk/logs"),
    ],
)
def test_what_a_workspace_holds_is_told_from_a_local_folder(written: str, read: str) -> None:
    text = (
        f"{MINIMAL}    spark_event_logs: {{folders: ['{written}']}}\n"
        "    databricks: {host: acme.cloud.databricks.com}\n"
    )
    [workspace] = loaded(text).workspaces
    assert workspace.spark_event_logs is not None
    assert workspace.spark_event_logs.folders == (read,)


def test_tables_on_a_local_disk_of_that_name_are_written_there() -> None:
    assert resolved("{root: 'file:///Volumes/Disk/lake'}").root == "/Volumes/Disk/lake"


@pytest.mark.parametrize("root", ["dbfs:/mnt/lake", "/Volumes/main/ops/lake"])
def test_a_workspace_holds_no_tables(root: str) -> None:
    with pytest.raises(ConfigError, match="lies in no storage that can hold tables"):
        storage(f"{{root: '{root}'}}")


def test_references_are_followed_and_options_left_out_stay_out() -> None:
    options = "{region: eu-1, access_key_id: env:ID, secret_access_key: env:KEY}"
    found = resolved(f"{{root: s3://a, options: {options}}}", ID="AKIA1", KEY="hunter22")
    assert found.options == {
        "region": "eu-1",
        "access_key_id": SecretStr("AKIA1"),
        "secret_access_key": SecretStr("hunter22"),
    }
    assert found.client_options == {}
    assert "hunter22" not in repr(found)


def test_options_fit_dagster_deltalakes_classes() -> None:
    s3 = resolved(
        "{root: s3://a, options: {endpoint: http://b, allow_unsafe_rename: false}, "
        "client_options: {allow_http: true, connect_timeout: 5, timeout: 120s}}"
    )
    assert deltalake.S3Config.model_validate(s3.options).endpoint == "http://b"
    client = deltalake.ClientConfig.model_validate(s3.client_options)
    assert (client.allow_http, client.connect_timeout, client.timeout) == (True, 5, "120s")
    azure = resolved(f"{{root: '{AZURE_ROOT}'}}")
    assert deltalake.AzureConfig.model_validate(azure.options).account_name == "acme"


def test_a_reference_that_leads_nowhere_is_told_when_it_is_used() -> None:
    with pytest.raises(ConfigError, match="the environment variable KEY is not set"):
        resolved("{root: s3://a, options: {token: env:KEY}}")


def test_a_dump_and_a_repr_show_the_reference() -> None:
    found = storage("{root: s3://a, options: {token: env:KEY}}")
    options = found.model_dump(exclude_none=True)["options"]
    assert "'token': 'env:KEY'" in str(options)
    assert "env:KEY" in repr(found)


def test_reading_takes_the_longest_root_above_the_location() -> None:
    text = MINIMAL.replace("root: tables", "root: s3://tables") + (
        "    source_storage:\n"
        "      - root: s3://logs\n"
        "      - root: s3://logs/spark\n"
        "      - root: /mnt/logs\n"
    )
    [workspace] = loaded(text).workspaces
    roots = {
        location: storage.root if (storage := workspace.storage_for(location)) else None
        for location in (
            "s3://logs/spark/a",
            "s3://logs/sparkling",
            "s3://logs",
            "s3://other",
            "/mnt/logs/a",
            "/mnt/logs2",
            "gs://logs",
            "hdfs://logs",
            "dbfs:/mnt/logs",
        )
    }
    assert roots == {
        "s3://logs/spark/a": "s3://logs/spark",
        "s3://logs/sparkling": "s3://logs",
        "s3://logs": "s3://logs",
        "s3://other": "s3://tables",
        "/mnt/logs/a": "/mnt/logs",
        "/mnt/logs2": None,
        "gs://logs": None,
        "hdfs://logs": None,
        "dbfs:/mnt/logs": None,
    }


@pytest.mark.parametrize(
    ("root", "shared"),
    [
        ("/data/lake", ()),
        ("s3://lake/overwatch", ("s3://",)),
        ("gs://lake", ("gs://",)),
        (AZURE_ROOT, ("abfss://@acme.dfs.core.windows.net", "abfss://@")),
    ],
)
def test_access_is_shared_with_the_roots_that_are_named(root: str, shared: Sequence[str]) -> None:
    assert storage(f"{{root: '{root}'}}").shared_roots == shared


def test_access_to_an_azure_account_is_not_offered_to_another() -> None:
    found = storage(f"{{root: '{AZURE_ROOT}'}}")
    assert found.shares_access_with("abfss://logs@acme.dfs.core.windows.net/a")
    assert not found.shares_access_with("abfss://logs@other.dfs.core.windows.net/a")


def test_a_root_without_container_is_of_all_containers_of_an_account() -> None:
    text = f"{MINIMAL}    source_storage: [{{root: 'abfss://@acme.dfs.core.windows.net'}}]\n"
    [workspace] = loaded(text).workspaces
    for container in ("a", "b"):
        found = workspace.storage_for(f"abfss://{container}@acme.dfs.core.windows.net/c")
        assert found is not None
        assert found.resolve(Secrets()).options["account_name"] == "acme"
    for elsewhere in ("abfss://a@zeta.dfs.core.windows.net/c", "abfss://a/c", "s3://a"):
        assert workspace.storage_for(elsewhere) is None


def test_tables_lie_in_one_container() -> None:
    with pytest.raises(ConfigError, match=r"names no container. Write abfss://container@"):
        storage("{root: 'abfss://@acme.dfs.core.windows.net'}")
