"""Locations: the same options for three libraries, and no secret in sight."""

import logging
import traceback
from datetime import timedelta
from pathlib import Path

import pytest
from dagster_deltalake.config import AzureConfig, ClientConfig, GcsConfig, LocalConfig, S3Config

from overwatch_assets.delta.storage import ProviderConfig, Retries, StorageLocation
from overwatch_assets.errors import ConfigError
from overwatch_assets.provider_config import AzureServiceConfig

AZURE_ROOT = "abfss://lake@acme.dfs.core.windows.net/overwatch"
CANARY = "canary/7+x=="
WITH_SECRETS: list[tuple[str, ProviderConfig]] = [
    ("s3://lake/overwatch", S3Config(access_key_id="AKIA", secret_access_key=CANARY, token=CANARY)),
    (AZURE_ROOT, AzureConfig(account_name="acme", account_key=CANARY, client_secret=CANARY)),
    (AZURE_ROOT, AzureConfig(account_name="acme", sas_key=CANARY, token=CANARY)),
    ("gs://lake/overwatch", GcsConfig(service_account_key=CANARY)),
]


def test_a_local_root_needs_no_options(tmp_path: Path) -> None:
    location = StorageLocation(f"file://{tmp_path}/a%20b", LocalConfig())
    assert location.local_path == tmp_path / "a b"
    assert location.uri("t") == f"{tmp_path}/a b/t"
    assert (location.delta_options, location.polars_options) == (None, None)


def test_numbers_are_text_for_delta_rs_and_numbers_for_polars() -> None:
    config = S3Config(region="eu-central-1", endpoint="http://127.0.0.1:9000")
    client = ClientConfig(allow_http=True, connect_timeout=3, timeout="20s")
    retries = Retries(limit=3, within=timedelta(seconds=9))
    location = StorageLocation("s3://lake/overwatch/", config, client, retries)
    shared = {
        "aws_region": "eu-central-1",
        "aws_endpoint_url": "http://127.0.0.1:9000",
        "aws_imdsv1_fallback": "False",
        "aws_conditional_put": "etag",
        "allow_http": "True",
        "connect_timeout": "3s",
        "timeout": "20s",
    }
    assert location.uri("t") == "s3://lake/overwatch/t"
    assert location.delta_options == {
        **shared,
        "max_retries": "3",
        "retry_timeout": "9000ms",
        "backoff_config.init_backoff": "100ms",
        "backoff_config.max_backoff": "15000ms",
    }
    assert location.polars_options == {
        **shared,
        "max_retries": 3,
        "retry_timeout_ms": 9000,
        "retry_init_backoff_ms": 100,
        "retry_max_backoff_ms": 15000,
    }


def test_azure_is_found_at_its_endpoint() -> None:
    config = AzureServiceConfig(account_name="acme", endpoint="http://127.0.0.1:10000/acme")
    location = StorageLocation(AZURE_ROOT, config)
    assert location.polars_options is not None
    assert location.polars_options["azure_storage_endpoint"] == "http://127.0.0.1:10000/acme"
    assert location.delta_options is not None
    assert location.delta_options["azure_storage_account_name"] == "acme"


def test_every_option_of_google_is_passed_on_by_its_whole_name() -> None:
    config = GcsConfig(service_account="/a.json", application_credentials="/b.json", bucket="lake")
    options = StorageLocation("gs://lake/overwatch", config).delta_options
    assert options is not None
    assert {name: value for name, value in options.items() if name.startswith("google")} == {
        "google_service_account": "/a.json",
        "google_application_credentials": "/b.json",
    }
    key = StorageLocation("gs://lake", GcsConfig(service_account_key="{}")).delta_options
    assert key is not None
    assert key["google_service_account_key"] == "{}"


def test_every_option_of_every_provider_is_known_to_the_object_stores() -> None:
    texts = dict.fromkeys(
        ("access_key_id", "secret_access_key", "token", "region", "endpoint", "metadata_endpoint"),
        "http://127.0.0.1:9",
    )
    s3 = S3Config(**texts, checksum="SHA256", unsigned_payload=True)
    assert "overwatch" in repr(StorageLocation("s3://lake/overwatch", s3).store)
    azure = AzureServiceConfig(
        account_name="acme", endpoint="https://127.0.0.1/acme", account_key="aGVsbG8=",
        client_id="i", client_secret=CANARY, tenant_id="t", use_azure_cli=False,
        use_fabric_endpoint=False, msi_endpoint="http://x",
    )  # fmt: skip
    assert "acme" in repr(StorageLocation(AZURE_ROOT, azure).store)


@pytest.mark.parametrize(("root", "config"), WITH_SECRETS)
def test_secrets_are_neither_shown_nor_said(root: str, config: ProviderConfig) -> None:
    location = StorageLocation(root, config)
    assert "canary" not in repr(location)
    for spelling in (CANARY, "canary%2F7%2Bx%3D%3D"):
        said = location.redacted(f"PUT https://x/?key={spelling}&sig={spelling}: {spelling}")
        assert "canary" not in said


def test_passwords_and_signatures_in_urls_are_not_said() -> None:
    location = StorageLocation("s3://lake", S3Config())
    said = location.redacted("GET http://me:canary@proxy/x?sv=1&sig=canary&x=1, X-Amz-Signature")
    assert said == "GET http://***@proxy/x?sv=1&sig=***&x=1, X-Amz-Signature"
    assert location.redacted(AZURE_ROOT) == AZURE_ROOT


@pytest.mark.parametrize(
    ("root", "config", "says"),
    [
        ("s3://lake", LocalConfig(), "needs options of provider s3, not local"),
        ("lake", S3Config(), "needs options of provider local, not s3"),
        ("hdfs://lake", LocalConfig(), "hdfs:// can't be used"),
        ("s3://lake", S3Config(allow_unsafe_rename=True), "overwrite each other's commits"),
        ("s3://lake", S3Config(bucket="pond"), "option bucket names another one"),
        (AZURE_ROOT, AzureConfig(account_name="acme", container_name="pond"), "container_name"),
        ("lake/organization_id=7", LocalConfig(), "named like a partition"),
        ("lake/%41", LocalConfig(), "'%'"),
        ("lake/#1", LocalConfig(), "'#'"),
        ("https://me:canary@lake", S3Config(), "can't be used"),
    ],
)
def test_what_cannot_work_is_refused_at_once(root: str, config: ProviderConfig, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as raised:
        StorageLocation(root, config)
    assert "canary" not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize(
    ("variable", "root", "config"),
    [
        ("AWS_SESSION_TOKEN", "s3://lake", S3Config(access_key_id="A", secret_access_key=CANARY)),
        ("AWS_TOKEN", "s3://lake", S3Config(access_key_id="A", secret_access_key=CANARY)),
        ("AZURE_STORAGE_TOKEN", AZURE_ROOT, AzureConfig(account_name="acme", account_key="b")),
        ("AZURE_STORAGE_ACCESS_KEY", AZURE_ROOT, AzureConfig(account_name="acme", sas_key="b")),
        ("AZURE_CLIENT_SECRET", AZURE_ROOT, AzureConfig(account_name="acme", sas_key="b")),
        ("GOOGLE_BEARER_TOKEN", "gs://lake", GcsConfig(service_account_key="{}")),
        ("GOOGLE_SERVICE_ACCOUNT", "gs://lake", GcsConfig(application_credentials="/b.json")),
    ],
)
def test_a_credential_of_the_environment_is_not_sent_along_with_configured_ones(
    monkeypatch: pytest.MonkeyPatch, variable: str, root: str, config: ProviderConfig
) -> None:
    monkeypatch.setenv(variable, CANARY)
    with pytest.raises(ConfigError, match=f"{variable} would be sent in the place of") as refused:
        StorageLocation(root, config)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    ("variable", "root", "config"),
    [
        ("AWS_SESSION_TOKEN", "s3://lake", S3Config()),
        ("AWS_SESSION_TOKEN", "s3://lake", S3Config(access_key_id="A", token=CANARY)),
        ("AWS_ACCESS_KEY_ID", "s3://lake", S3Config(access_key_id="A", secret_access_key=CANARY)),
        ("AZURE_STORAGE_SAS_KEY", AZURE_ROOT, AzureConfig(account_name="acme", account_key="b")),
        ("AZURE_CLIENT_SECRET", AZURE_ROOT, AzureConfig(account_name="acme", account_key="b")),
        ("AZURE_STORAGE_TOKEN", AZURE_ROOT, AzureConfig(account_name="acme")),
        ("GOOGLE_APPLICATION_CREDENTIALS", "gs://lake", GcsConfig(service_account="/a.json")),
    ],
)
def test_a_credential_of_the_environment_that_is_overruled_or_alone_does_no_harm(
    monkeypatch: pytest.MonkeyPatch, variable: str, root: str, config: ProviderConfig
) -> None:
    monkeypatch.setenv(variable, CANARY)
    assert StorageLocation(root, config).uri("t").startswith(root)


def test_unverified_certificates_are_said_aloud(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        StorageLocation("s3://lake", S3Config(), ClientConfig(allow_invalid_certificates=True))
    assert "not verified" in caplog.text
