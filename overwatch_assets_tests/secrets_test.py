from pathlib import Path

import pytest
from pydantic import SecretStr

from overwatch_assets.errors import ConfigError
from overwatch_assets.secrets import SecretReference, Secrets, is_secret_name, looks_secret


def resolved(text: str, secrets: Secrets) -> str:
    return secrets.resolve(SecretReference(text)).get_secret_value()


def refused(text: str, secrets: Secrets) -> str:
    with pytest.raises(ConfigError) as raised:
        secrets.resolve(SecretReference(text))
    return str(raised.value)


def test_env_is_the_variable_at_the_time_of_use() -> None:
    environment = {"KEY": "first"}
    secrets = Secrets(environment=environment)
    assert resolved("env:KEY", secrets) == "first"
    environment["KEY"] = "second"
    assert resolved("env:KEY", secrets) == "second"


@pytest.mark.parametrize("environment", [{}, {"KEY": ""}])
def test_a_variable_that_is_not_set_is_named(environment: dict[str, str]) -> None:
    message = "env:KEY: the environment variable KEY is not set; set it and try again"
    assert refused("env:KEY", Secrets(environment=environment)) == message


@pytest.mark.parametrize("content", ["first", "first\n", "first\r\n"])
def test_file_is_the_content_without_the_line_end(tmp_path: Path, content: str) -> None:
    (tmp_path / "key").write_text(content, newline="")
    secrets = Secrets(directory=tmp_path)
    assert resolved("file:key", secrets) == "first"
    assert resolved(f"file:{tmp_path}/key", secrets) == "first"


def test_a_file_is_read_at_each_use(tmp_path: Path) -> None:
    secrets = Secrets(directory=tmp_path)
    for content in ("first", "second"):
        (tmp_path / "key").write_text(content)
        assert resolved("file:key", secrets) == content


def test_a_file_outside_the_directory_is_not_read(tmp_path: Path) -> None:
    directory = tmp_path / "secrets"
    directory.mkdir()
    (tmp_path / "outside").write_text("hunter22")
    (directory / "link").symlink_to(tmp_path / "outside")
    secrets = Secrets(directory=directory)
    for text in ("file:../outside", f"file:{tmp_path}/outside", "file:link"):
        message = refused(text, secrets)
        assert message.startswith(f"{text} names a file that is not below {directory}. Move it")
        assert "hunter22" not in message


def test_without_a_directory_no_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("hunter22")
    message = refused(f"file:{tmp_path}/key", Secrets())
    assert "no secrets_directory is configured" in message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file or directory"),
        (b"", "it is empty"),
        (b"\n", "it is empty"),
        (b"\xff\xfe", "it is not UTF-8 text"),
        (b"a" * 65_537, "it is longer than 64 KiB"),
    ],
)
def test_a_file_that_holds_no_secret_is_named(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    told = refused("file:key", Secrets(directory=tmp_path))
    assert told.startswith("file:key: ")
    assert message in told


def test_a_scope_is_read_by_what_is_plugged_in() -> None:
    secrets = Secrets(read_scope=lambda scope, key: SecretStr(f"{scope} and {key}"))
    assert resolved("{{secrets/prod/lake-key}}", secrets) == "prod and lake-key"


def test_without_a_connection_a_scope_is_refused_with_scope_and_key() -> None:
    message = refused("{{secrets/prod/lake-key}}", Secrets())
    assert message.startswith("{{secrets/prod/lake-key}}: key 'lake-key' of secret scope 'prod'")
    assert "connection to the workspace" in message


@pytest.mark.parametrize(
    "text",
    ["", "hunter22", "env:", "env:1A", "env:A B", "file:", "{{secrets/a}}", "{{secrets/a/b/c}}"],
)
def test_what_is_no_reference_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        SecretReference(text)
    told = "a secret is never written out, only referred to: env:NAME, file:PATH or "
    assert str(raised.value) == f'{told}"{{{{secrets/scope/key}}}}"'


def test_nothing_shows_a_secret() -> None:
    secrets = Secrets(environment={"KEY": "hunter22"})
    secret = secrets.resolve(SecretReference("env:KEY"))
    assert "hunter22" not in f"{secret} {secret!r} {secrets} {secrets!r}"


@pytest.mark.parametrize(
    "name",
    [
        "key",
        "token",
        "secret_access_key",
        "client_secret",
        "account_key",
        "sas_key",
        "SharedAccessSignature",
        "proxyPassword",
        "password",
        "AWS_SESSION_TOKEN",
        "application_credentials",
    ],
)
def test_a_name_that_speaks_of_secrets_is_one(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["access_key_id", "client_id", "region", "federated_token_file", "workspace_name", "path"],
)
def test_ids_and_places_are_no_secrets(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    "text",
    [
        "dapi0123456789abcdef0123456789abcdef",
        "Bearer abc",
        "eyJhbGciOiJSUzI1NiJ9.e30.abc",
        "Endpoint=sb://x/;SharedAccessKey=abc",
        "DefaultEndpointsProtocol=https;AccountKey=abc",
        "https://account.blob.core.windows.net/c?sv=2024&sig=abc",
        "s3://bucket/path?X-Amz-Signature=abc",
        "http://user:hunter22@proxy:3128",
        "-----BEGIN PRIVATE KEY-----",
    ],
)
def test_a_text_shaped_like_a_secret_is_recognised(text: str) -> None:
    assert looks_secret(text)


@pytest.mark.parametrize(
    "text",
    [
        "1234567890123456",
        "s3://bucket/path",
        "abfss://container@account.dfs.core.windows.net/path",
        "http://proxy:3128",
        "https://host:8080/path@v1",
        "eu-central-1",
    ],
)
def test_an_ordinary_text_is_not(text: str) -> None:
    assert not looks_secret(text)
