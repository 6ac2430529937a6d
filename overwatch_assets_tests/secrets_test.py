import html
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from pydantic import SecretStr

from overwatch_assets.errors import ConfigError
from overwatch_assets.secrets import (
    SecretReference,
    Secrets,
    is_secret_name,
    looks_secret,
    redacted,
)


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
    assert "read through the workspace's API, which is not configured" in message


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


@pytest.mark.parametrize("spelled", [str, quote, quote_plus, html.escape, json.dumps])
def test_a_known_secret_is_hidden_in_every_spelling(spelled: Callable[[str], str]) -> None:
    secret = 'canary/7+"x"==&a'  # noqa: S105 - planted, to be looked for
    assert "canary" not in redacted(f"PUT of {spelled(secret)} failed", [secret])


@pytest.mark.parametrize(
    ("secret", "part"),
    [
        ("sv=2021-08-06&sp=rl&sig=canary%2Fabc%3D", "canary/abc="),
        (
            "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=canary/abc==;",
            "canary/abc==",
        ),
        (
            json.dumps({"client_email": "a@b", "private_key": "-----BEGIN\ncanary-line"}),
            "canary-line",
        ),
        (json.dumps({"type": "authorized_user", "refresh_token": "canary-token"}), "canary-token"),
    ],
)
def test_what_is_secret_in_a_known_secret_is_hidden_alone_too(secret: str, part: str) -> None:
    assert redacted(f"refused {part}, sv=2021-08-06", [secret]) == (
        "refused [REDACTED], sv=2021-08-06"
    )


@pytest.mark.parametrize(
    "text",
    [
        "GET https://acme.blob.core.windows.net/lake?sv=1&sig=canary%2F&se=2",
        '{"url":"https://a/b?x=1\\u0026sig=canary"}',
        "<a href='x?a=1&amp;sig=canary&amp;b=2'>",
        "https://a/b?X-Amz-Signature=canary&X-Amz-Security-Token=canary",
        "https://a/b?X-Goog-Signature=canary",
        "Endpoint=sb://acme/;SharedAccessKeyName=a;SharedAccessKey=canary=;EntityPath=b",
        "AccountName=acme;AccountKey=canary==;EndpointSuffix=core.windows.net",
        "SharedAccessSignature=canary&x",
        "authorization: Bearer canary-canary.x",
        "authorization: SharedKey acme:canary/+=",
        "http://me:canary@proxy:3128/",
        "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\\ncanary",
    ],
)
def test_what_has_the_shape_of_a_secret_is_hidden_without_being_known(text: str) -> None:
    assert "canary" not in redacted(text)


def test_tokens_of_a_workspace_are_hidden() -> None:
    said = redacted("dapi0123456789abcdef0123456789abcdef-2 and eyJhbGciOiJSUzI1.eyJzdWIi.c2ln")
    assert said == "dapi*** and eyJ***"


@pytest.mark.parametrize(
    "text",
    [
        "table jobs at abfss://lake@acme.dfs.core.windows.net/overwatch is missing",
        "Error performing GET http://127.0.0.1:1/lake?list-type=2&prefix=a%2F in 3ms",
        "the environment variable AWS_SESSION_TOKEN is not set",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text, ["", "hunter22"]) == text
