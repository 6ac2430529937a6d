"""What a service answers may repeat what it was sent: no error says it.

The service is one on the loopback that repeats a request's address and headers in its refusal.
"""

import traceback
from collections.abc import Callable, Iterator

import pytest
from dagster_deltalake.config import ClientConfig, GcsConfig, S3Config

from overwatch_assets.delta.files import StagedFile, scan, staged_files
from overwatch_assets.delta.storage import ProviderConfig, StorageLocation
from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets.errors import ConfigError, LawBroken, SourceError, StorageError
from overwatch_assets.provider_config import AzureServiceConfig
from overwatch_assets.sources.files import Files
from overwatch_assets_tests.delta.lake import (
    FEW_RETRIES,
    IMPATIENT,
    JOBRUNS,
    MONDAY,
    WORKSPACE,
    runs,
)
from overwatch_assets_tests.eavesdropper import Eavesdropper, eavesdropper

CANARY = "canary/7+x=="
AZURE_ROOT = "abfss://lake@acme.dfs.core.windows.net/tables"


@pytest.fixture
def ear() -> Iterator[Eavesdropper]:
    with eavesdropper() as found:
        yield found


def s3(ear: Eavesdropper) -> StorageLocation:
    config = S3Config(
        access_key_id=CANARY, secret_access_key=CANARY, token=CANARY, endpoint=ear.address
    )
    return located("s3://lake/tables", config)


def azure_by_signature(ear: Eavesdropper) -> StorageLocation:
    signature = f"sv=2021-08-06&sp=rl&sig={CANARY.replace('+', '%2B').replace('=', '%3D')}"
    return located(AZURE_ROOT, azure(ear, sas_key=signature))


def azure_by_token(ear: Eavesdropper) -> StorageLocation:
    return located(AZURE_ROOT, azure(ear, token=CANARY))


def azure(ear: Eavesdropper, **options: str) -> AzureServiceConfig:
    endpoint = f"{ear.address}/acme"
    return AzureServiceConfig.model_validate(
        {"account_name": "acme", "endpoint": endpoint, **options}
    )


def located(root: str, config: ProviderConfig) -> StorageLocation:
    return StorageLocation(root, config, ClientConfig(allow_http=True), FEW_RETRIES)


kinds = pytest.mark.parametrize("kind", [s3, azure_by_signature, azure_by_token])
statuses = pytest.mark.parametrize("status", [400, 403, 404, 500])


def said(action: Callable[[], object], *kinds: type[Exception]) -> str:
    """All that is told of the failure of an action."""
    with pytest.raises(kinds) as raised:
        action()
    return "".join(traceback.format_exception(raised.value))


@statuses
@kinds
def test_no_error_of_a_table_repeats_a_secret(
    ear: Eavesdropper, kind: Callable[[Eavesdropper], StorageLocation], status: int
) -> None:
    ear.status = status
    store = DeltaStore(kind(ear), IMPATIENT)
    for action in (
        lambda: store.version(JOBRUNS),
        lambda: store.create(JOBRUNS),
        lambda: store.stage(JOBRUNS, WORKSPACE, MONDAY, runs(1)),
    ):
        assert "canary" not in said(action, StorageError)
    assert "canary" in ear.all_heard


@kinds
def test_no_error_while_rows_are_computed_repeats_a_secret(
    ear: Eavesdropper, kind: Callable[[Eavesdropper], StorageLocation]
) -> None:
    store = DeltaStore(kind(ear), IMPATIENT)
    staged = [StagedFile(JOBRUNS.name, WORKSPACE, MONDAY, "a.parquet", 1, 1)]
    rows = scan(JOBRUNS, store.location, staged_files(store.location, staged))
    with pytest.raises(OSError, match="404"):
        rows.collect()

    def compute() -> None:
        with store.computing():
            rows.collect()

    assert "canary" not in said(compute, StorageError, OSError)
    assert "canary" in ear.all_heard


def test_an_error_that_was_caused_by_one_with_a_secret_is_told_without_it(
    ear: Eavesdropper,
) -> None:
    store = DeltaStore(s3(ear), IMPATIENT)

    def compute() -> None:
        with store.computing():
            raise ValueError("no rows") from OSError(f"GET x?token={CANARY}")

    assert "canary" not in said(compute, StorageError)


def test_other_errors_pass_as_they_are(ear: Eavesdropper) -> None:
    store = DeltaStore(s3(ear), IMPATIENT)
    for error in (ZeroDivisionError("1 / 0"), LawBroken("key token=abc is doubled")):
        with pytest.raises(type(error)) as raised, store.computing():
            raise error
        assert raised.value is error


@statuses
@kinds
def test_no_error_of_a_source_repeats_a_secret(
    ear: Eavesdropper, kind: Callable[[Eavesdropper], StorageLocation], status: int
) -> None:
    ear.status = status
    location = kind(ear)
    assert location.delta_options is not None
    files = Files({location.root: location.delta_options})
    path = f"{location.root}/a"
    for action in (
        lambda: list(files.list(path)),
        lambda: files.folders(path),
        lambda: list(files.open(path)),
    ):
        assert "canary" not in said(action, SourceError)
    assert "canary" in ear.all_heard


@pytest.mark.parametrize(
    "key",
    [
        '{"private_key": "canary", "client_email"',
        '{"private_key": "canary", "client_email": "a@b", "private_key_id": "1"}',
        '{"private_key": "-----BEGIN PRIVATE KEY-----\\ncanary\\n", "client_email": "a@b"}',
        "canary",
    ],
)
def test_a_service_account_that_cannot_be_used_is_not_repeated(key: str) -> None:
    location = located("gs://lake", GcsConfig(service_account_key=key))
    store = DeltaStore(location, IMPATIENT)
    assert location.delta_options is not None
    files = Files({location.root: location.delta_options})
    of_table = said(lambda: store.version(JOBRUNS), StorageError)
    of_file = said(lambda: list(files.list("gs://lake/a")), ConfigError, SourceError)
    assert "canary" not in of_table + of_file
