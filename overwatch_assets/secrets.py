"""Secrets as the configuration holds them: references, followed only when one is used.

A reference is followed anew at each use, so that a rotated secret works without a restart.
What a reference leads to is a `SecretStr`, which shows itself as asterisks. No message of
this file repeats a value, neither one found nor one refused.
"""

import html
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from urllib.parse import quote, quote_plus, unquote

from pydantic import SecretStr

from overwatch_assets.errors import ConfigError

FORMS = 'env:NAME, file:PATH or "{{secrets/scope/key}}"'
REFERENCE = r"(?:env:[A-Za-z_][A-Za-z0-9_]*|file:[^\x00-\x1f]+|\{\{secrets/[^/{}\s]+/[^/{}\s]+\}\})"

LARGEST_SECRET_BYTES = 65_536

_SECRET_NAME = re.compile(
    r"(?:^|_)(?:keys?|tokens?|secrets?|pass(?:word|wd|phrase)?|pwd|sas|credentials?|signature|pat)"
    r"(?:_|$)"
)
_PUBLIC_NAME = re.compile(r"_(?:id|file|path|uri|url|endpoint)$")
_SECRET_VALUE = re.compile(
    r"\b(?:dapi|dkea|dose)[0-9a-f]{8}"
    r"|\bBearer\s"
    r"|\beyJ[\w-]{8}"
    r"|SharedAccessKey="
    r"|AccountKey="
    r"|[?&](?:sig|signature|token|x-amz-signature|x-goog-signature)="
    r"|//[^/@\s]*:[^/@\s]*@"
    r"|-----BEGIN ",
    re.IGNORECASE,
)

_NAMES_IN_TEXTS = (
    r"sig|[\w-]*signature|[\w-]*token|accountkey|(?:shared)?accesskey|password|passwd|pwd"
)
_SHAPES = (
    (r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(?=-----END |\Z)", r"\1***"),
    (rf"((?:\b|\\u0026)(?:{_NAMES_IN_TEXTS})=)[^&;,\s\"'<>)\\]+", r"\1***"),
    (r"\b((?:Bearer|Basic)\s+)[\w+/.~=-]{8,}", r"\1***"),
    (r"\b(SharedKey(?:Lite)?\s+\w+:)[\w+/=]+", r"\1***"),
    (r"\b(dapi|dkea|dose)[0-9a-f]{8,}(?:-\d+)?", r"\1***"),
    (r"\beyJ[\w-]{8,}(?:\.[\w-]*)*", "eyJ***"),
    (r"//[^/\s:@]*:[^/\s@]+@", "//***@"),
)
"""Shapes in which secrets stand in the texts of others, and what is written instead."""

_SHORTEST_PART = 8
"""Shorter parts of a secret hide nothing and would riddle the text."""

ScopeReader = Callable[[str, str], SecretStr]
"""From a Databricks secret scope and a key to the secret."""


def is_secret_name(name: str) -> bool:
    """Whether a setting of this name holds a secret; `access_key_id` and file names do not."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+", "_", name).casefold()
    return bool(_SECRET_NAME.search(words)) and not _PUBLIC_NAME.search(words)


def looks_secret(text: str) -> bool:
    """Whether a text has the shape of a token, a signed address or an address with password."""
    return bool(_SECRET_VALUE.search(text))


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """What somebody else's text says, without secrets.

    Args:
        text: An error of a library or the answer of a service.
        secrets: Known ones, hidden in every spelling, whole and in part; whatever else has
            the shape of a secret is hidden too.
    """
    spelled = {each for secret in secrets for part in _parts(secret) for each in _spellings(part)}
    for each in sorted(spelled - {""}, key=len, reverse=True):
        text = text.replace(each, "[REDACTED]")
    for shape, instead in _SHAPES:
        text = re.sub(shape, instead, text, flags=re.DOTALL | re.IGNORECASE)
    return text


def _parts(secret: str) -> Iterator[str]:
    """A secret and what is secret in it: a key file's keys, a signature, a connection's key."""
    yield secret
    named = r"(?i)\b(?:sig|\w*(?:signature|key|token|secret|password))=([^&;]+)"
    within = [part for each in re.findall(named, secret) for part in (each, unquote(each))]
    if secret.lstrip().startswith("{"):
        within += _key_file_secrets(secret)
    yield from (each for each in within if len(each) >= _SHORTEST_PART)


def _key_file_secrets(text: str) -> list[str]:
    """Secrets of a service account's or user's file, as JSON; a private key by lines too."""
    try:
        content: object = json.loads(text)
    except ValueError:
        return []
    values = cast("dict[str, object]", content) if isinstance(content, dict) else {}
    secret = [str(value) for name, value in values.items() if is_secret_name(name)]
    return [part for value in secret for part in (value, *value.splitlines())]


def _spellings(secret: str) -> set[str]:
    """How a secret may be written in URLs, JSON, Rust's debugging output and XML."""
    return {
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        html.escape(secret),
    }


@dataclass(frozen=True, slots=True)
class SecretReference:
    """Where a secret is found.

    Attributes:
        text: The reference as the configuration writes it; not a secret itself.
    """

    text: str

    def __post_init__(self) -> None:
        """Refuse what is no reference.

        Raises:
            ConfigError: It may be a secret and isn't repeated.
        """
        if not self.is_reference(self.text):
            message = f"a secret is never written out, only referred to: {FORMS}"
            raise ConfigError(message)

    def __str__(self) -> str:
        return self.text

    @staticmethod
    def is_reference(text: str) -> bool:
        """Whether the text is a well-formed reference."""
        return re.fullmatch(REFERENCE, text) is not None

    @property
    def is_in_scope(self) -> bool:
        """Whether it names a key of a Databricks secret scope."""
        return self.text.startswith("{{")

    @property
    def file(self) -> Path | None:
        """File of a `file:` reference."""
        return Path(self.text.removeprefix("file:")) if self.text.startswith("file:") else None


@dataclass(frozen=True, slots=True)
class Secrets:
    """Follows references.

    Attributes:
        directory: Only files below it are read; None: no file is.
        environment: Variables that `env:` references name.
        read_scope: Reads Databricks secret scopes; None: there is no connection to a workspace.
    """

    directory: Path | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    read_scope: ScopeReader | None = None

    def resolve(self, reference: SecretReference) -> SecretStr:
        """The secret a reference leads to now.

        Raises:
            ConfigError: It leads nowhere, or to something empty.
        """
        if reference.file is not None:
            return self._from_file(reference, reference.file)
        if reference.text.startswith("env:"):
            return self._from_environment(reference.text.removeprefix("env:"))
        _, scope, key = reference.text.strip("{}").split("/")
        return self._from_scope(scope, key)

    def _from_environment(self, name: str) -> SecretStr:
        if value := self.environment.get(name):
            return SecretStr(value)
        message = f"env:{name}: the environment variable {name} is not set; set it and try again"
        raise ConfigError(message)

    def _from_file(self, reference: SecretReference, file: Path) -> SecretStr:
        directory = self.directory or Path()
        path = (directory / file).resolve()
        if misplaced := file_problem(self.directory, file):
            message = f"{reference} {'. '.join(misplaced)}"
            raise ConfigError(message)
        try:
            with path.open("rb") as opened:
                content = opened.read(LARGEST_SECRET_BYTES + 1)
            text = content.decode().removesuffix("\n").removesuffix("\r")
        except OSError as error:
            problem = error.strerror or type(error).__name__
        except UnicodeDecodeError:
            problem = "it is not UTF-8 text"
        else:
            if text and len(content) <= LARGEST_SECRET_BYTES:
                return SecretStr(text)
            problem = "it is longer than 64 KiB" if text else "it is empty"
        message = f"{reference}: {path} can't be used: {problem}; put the secret into that file"
        raise ConfigError(message)

    def _from_scope(self, scope: str, key: str) -> SecretStr:
        if self.read_scope is None:
            message = (
                f"{{{{secrets/{scope}/{key}}}}}: key {key!r} of secret scope {scope!r} can only be "
                "read through the workspace's API, which is not configured or would need a scope "
                "itself; use env:NAME or file:PATH here"
            )
            raise ConfigError(message)
        return self.read_scope(scope, key)


def file_problem(directory: Path | None, file: Path) -> tuple[str, str] | None:
    """What is wrong with the place of a secret's file, and the remedy; None: nothing.

    Args:
        directory: The folder of all secrets.
        file: Absolute, or relative to the directory. Links are followed.
    """
    if directory is None:
        return "names a file, but no secrets_directory is configured", "Configure it, or use env:"
    if not (directory / file).resolve().is_relative_to(directory.resolve()):
        return f"names a file that is not below {directory}", "Move it below secrets_directory"
    return None
