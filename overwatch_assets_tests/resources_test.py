"""Storages of one configuration: each is reached with its own credentials and no other's.

Session tokens, SAS and bearer tokens are sent as they are, so that a service on the loopback
hears whose it is given.
"""

from collections.abc import Iterator

import pytest

from overwatch_assets.config import Config
from overwatch_assets.delta.tables import DeltaStore
from overwatch_assets.errors import SourceError, StorageError
from overwatch_assets.resources import files_of, location_of
from overwatch_assets_tests.configuration.loading import WORKSPACES, loaded
from overwatch_assets_tests.delta.lake import JOBRUNS
from overwatch_assets_tests.eavesdropper import Eavesdropper, eavesdropper

TABLES_CANARY, SOURCE_CANARY = "canary-of-the-tables", "canary-of-the-source"


@pytest.fixture
def ears() -> Iterator[tuple[Eavesdropper, Eavesdropper]]:
    with eavesdropper() as tables, eavesdropper() as source:
        yield tables, source


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TABLES_CANARY", TABLES_CANARY)
    monkeypatch.setenv("SOURCE_CANARY", SOURCE_CANARY)
    monkeypatch.setenv("SOURCE_SAS", f"sv=2021-08-06&sp=rl&sig={SOURCE_CANARY}")
    monkeypatch.setenv("TABLES_SAS", f"sv=2021-08-06&sp=rwl&sig={TABLES_CANARY}")


def s3(root: str, ear: Eavesdropper, whose: str) -> str:
    return (
        f"{{root: '{root}', client_options: {{allow_http: true}}, options: "
        f"{{endpoint: '{ear.address}', region: us-east-1, access_key_id: env:{whose}_CANARY, "
        f"secret_access_key: env:{whose}_CANARY, token: env:{whose}_CANARY}}}}"
    )


def azure(root: str, ear: Eavesdropper, whose: str) -> str:
    account = root.partition("@")[2].partition(".")[0]
    return (
        f"{{root: '{root}', client_options: {{allow_http: true}}, options: "
        f"{{endpoint: '{ear.address}/{account}', sas_key: env:{whose}_SAS}}}}"
    )


def configured(tables: str, *sources: str) -> Config:
    listed = "".join(f"      - {each}\n" for each in sources)
    return loaded(f"storage: {tables}\n{WORKSPACES}    source_storage:\n{listed}")


def touch(config: Config, *paths: str) -> None:
    """Look for a table and for files."""
    store = DeltaStore(location_of(config.storage, config))
    with pytest.raises(StorageError):
        store.scan(JOBRUNS)
    files = files_of(config.workspaces[0], config)
    for path in paths:
        with pytest.raises(SourceError) as refused:
            list(files.list(path))
        assert "canary" not in str(refused.value)


PAIRS = {
    "two S3 services": (
        (s3, "s3://lake/overwatch", "s3://other-lake/a"),
        (s3, "s3://logs", "s3://logs/clusters"),
    ),
    "S3 and Azure": (
        (azure, "abfss://lake@acme.dfs.core.windows.net/t", "abfss://o@acme.dfs.core.windows.net/"),
        (s3, "s3://logs", "s3://logs/clusters"),
    ),
    "two Azure accounts": (
        (azure, "abfss://lake@acme.dfs.core.windows.net/t", "abfss://o@acme.dfs.core.windows.net/"),
        (
            azure,
            "abfss://logs@zeta.dfs.core.windows.net",
            "abfss://logs@zeta.dfs.core.windows.net/a",
        ),
    ),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_a_credential_is_sent_only_to_the_storage_it_is_for(
    ears: tuple[Eavesdropper, Eavesdropper], pair: str
) -> None:
    tables, source = ears
    (of_tables, root, beside), (of_source, source_root, path) = PAIRS[pair]
    config = configured(of_tables(root, tables, "TABLES"), of_source(source_root, source, "SOURCE"))
    touch(config, path, beside)
    assert TABLES_CANARY in tables.all_heard
    assert SOURCE_CANARY in source.all_heard
    assert SOURCE_CANARY not in tables.all_heard
    assert TABLES_CANARY not in source.all_heard


def test_what_has_no_storage_of_its_own_is_read_as_the_tables_are(
    ears: tuple[Eavesdropper, Eavesdropper],
) -> None:
    tables, source = ears
    config = configured(s3("s3://lake", tables, "TABLES"), s3("s3://logs/a", source, "SOURCE"))
    files = files_of(config.workspaces[0], config)
    for path in ("s3://elsewhere/a", "s3://logs/b", "s3://logs/ab"):
        with pytest.raises(SourceError):
            list(files.list(path))
        assert path.removeprefix("s3://").partition("/")[0] in tables.heard[-1]
    assert source.heard == []


def test_a_storage_may_be_of_all_containers_of_an_account(
    ears: tuple[Eavesdropper, Eavesdropper],
) -> None:
    tables, source = ears
    of_account = azure("abfss://@zeta.dfs.core.windows.net", source, "SOURCE")
    config = configured(s3("s3://lake", tables, "TABLES"), of_account)
    files = files_of(config.workspaces[0], config)
    for container in ("audit", "clusters"):
        with pytest.raises(SourceError):
            list(files.list(f"abfss://{container}@zeta.dfs.core.windows.net/a"))
        assert f"/zeta/{container}" in source.heard[-1]
        assert SOURCE_CANARY in source.heard[-1]


def test_another_account_of_azure_does_not_get_the_tables_credentials(
    ears: tuple[Eavesdropper, Eavesdropper], monkeypatch: pytest.MonkeyPatch
) -> None:
    tables, source = ears
    root = "abfss://lake@acme.dfs.core.windows.net"
    config = configured(azure(root, tables, "TABLES"), s3("s3://logs", source, "SOURCE"))
    files = files_of(config.workspaces[0], config)
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", "http://without-tls.example/zeta")
    with pytest.raises(SourceError, match="logs@zeta"):
        list(files.list("abfss://logs@zeta.dfs.core.windows.net/a"))
    assert tables.heard == source.heard == []
    with pytest.raises(SourceError, match="logs@acme"):
        list(files.list("abfss://logs@acme.dfs.core.windows.net/a"))
    assert TABLES_CANARY in tables.all_heard
