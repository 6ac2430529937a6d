import pytest

from overwatch_assets.configuration.databricks import Databricks
from overwatch_assets_tests.configuration.loading import loaded, refused, with_workspace


def connection(*lines: str) -> Databricks:
    written = ("databricks:", *(f"  {line}" for line in lines))
    [workspace] = loaded(with_workspace(*written)).workspaces
    assert workspace.databricks is not None
    return workspace.databricks


def refusal(*lines: str) -> str:
    return refused(with_workspace("databricks:", *(f"  {line}" for line in lines)))


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("https://acme.cloud.databricks.com/", "https://acme.cloud.databricks.com"),
        ("adb-123.4.azuredatabricks.net", "https://adb-123.4.azuredatabricks.net"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_a_host_is_an_address_without_a_path(written: str, host: str) -> None:
    assert connection(f"host: {written}").host == host


@pytest.mark.parametrize(
    "written", ["http://acme.example", "https://acme.example/?o=1", "ftp://acme.example", '"//"']
)
def test_a_host_that_is_unsafe_or_no_address_is_refused(written: str) -> None:
    assert "workspaces[0].databricks.host" in refusal(f"host: {written}")


def test_a_password_in_a_host_is_refused_and_not_repeated() -> None:
    told = refusal("host: https://maria:hunter22@acme.example")
    assert "holds a password" in told
    assert "hunter22" not in told


def test_only_one_identity_is_named() -> None:
    told = refusal("host: acme.example", "token: env:TOKEN", "profile: prod")
    assert "names more than one identity: profile and token" in told


@pytest.mark.parametrize(
    ("line", "missing"),
    [("client_id: 8f0c", "has no client_secret"), ("client_secret: env:S", "has no client_id")],
)
def test_a_service_principal_has_an_id_and_a_secret(line: str, missing: str) -> None:
    assert missing in refusal("host: acme.example", line)


def test_an_azure_secret_needs_client_and_tenant() -> None:
    assert "Give azure_tenant_id and azure_client_id" in refusal(
        "host: acme.example", "azure_client_secret: env:S", "azure_client_id: 8f0c"
    )


def test_a_token_is_only_referred_to() -> None:
    told = refusal("host: acme.example", "token: dapi0123456789abcdef")
    assert "must not be written here" in told
    assert "dapi0123456789" not in told
