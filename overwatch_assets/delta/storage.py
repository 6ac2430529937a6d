"""Where the tables are, and the options that each library needs to get there.

The one place that turns a provider's configuration (dagster-deltalake's `LocalConfig`,
`S3Config`, `AzureConfig`, `GcsConfig`) into what delta-rs, Polars and obstore want: the same
keys, but Polars takes numbers where delta-rs takes text, and obstore wants HTTP settings
apart. No secret appears in the `repr` of a location, and `redacted` keeps them out of errors.
"""

import logging
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, cast
from urllib.parse import unquote, urlsplit

from obstore.store import LocalStore, ObjectStore, from_url

from overwatch_assets.errors import ConfigError
from overwatch_assets.secrets import is_secret_name, redacted

_PROVIDERS = {
    "": "local",
    "file": "local",
    "s3": "s3",
    "s3a": "s3",
    "abfs": "azure",
    "abfss": "azure",
    "az": "azure",
    "gs": "gcs",
}
_OPTIONS: Mapping[str, Mapping[str, str]] = {
    "local": {},
    "s3": {
        "access_key_id": "aws_access_key_id",
        "secret_access_key": "aws_secret_access_key",
        "token": "aws_session_token",
        "region": "aws_region",
        "endpoint": "aws_endpoint_url",
        "imdsv1_fallback": "aws_imdsv1_fallback",
        "virtual_hosted_style_request": "aws_virtual_hosted_style_request",
        "unsigned_payload": "aws_unsigned_payload",
        "checksum": "aws_checksum_algorithm",
        "metadata_endpoint": "aws_metadata_endpoint",
        "container_credentials_relative_uri": "aws_container_credentials_relative_uri",
        "copy_if_not_exists": "aws_copy_if_not_exists",
    },
    "azure": {
        "account_name": "azure_storage_account_name",
        "endpoint": "azure_storage_endpoint",
        "account_key": "azure_storage_account_key",
        "sas_key": "azure_storage_sas_key",
        "token": "azure_storage_token",
        "client_id": "azure_storage_client_id",
        "client_secret": "azure_storage_client_secret",
        "tenant_id": "azure_storage_tenant_id",
        "federated_token_file": "azure_federated_token_file",
        "use_azure_cli": "azure_use_azure_cli",
        "use_fabric_endpoint": "azure_use_fabric_endpoint",
        "msi_resource_id": "azure_msi_resource_id",
        "msi_endpoint": "azure_msi_endpoint",
    },
    "gcs": {
        "service_account": "google_service_account",
        "service_account_key": "google_service_account_key",
        "application_credentials": "google_application_credentials",
    },
}
_BUCKET = {"s3": "bucket", "gcs": "bucket", "azure": "container_name"}
_CREDENTIALS: Mapping[str, Sequence[tuple[Sequence[str], Sequence[str]]]] = {
    "s3": (
        (("token",), ("AWS_SESSION_TOKEN", "AWS_TOKEN")),
        (("access_key_id", "secret_access_key"), ()),
    ),
    "azure": (
        (("token",), ("AZURE_STORAGE_TOKEN",)),
        (
            ("account_key",),
            (
                "AZURE_STORAGE_ACCOUNT_KEY",
                "AZURE_STORAGE_ACCESS_KEY",
                "AZURE_STORAGE_MASTER_KEY",
            ),
        ),
        (("client_secret",), ("AZURE_CLIENT_SECRET", "AZURE_STORAGE_CLIENT_SECRET")),
        (("federated_token_file",), ("AZURE_FEDERATED_TOKEN_FILE",)),
        (("sas_key",), ()),
    ),
    "gcs": (
        ((), ("GOOGLE_BEARER_TOKEN",)),
        (
            ("service_account", "service_account_key"),
            (
                "GOOGLE_SERVICE_ACCOUNT",
                "GOOGLE_SERVICE_ACCOUNT_PATH",
                "GOOGLE_SERVICE_ACCOUNT_KEY",
            ),
        ),
        (("application_credentials",), ()),
    ),
}
"""Options of a credential, and the environment's variables of the same kind.

A kind goes before those below it, wherever it comes from: the libraries send a token of the
environment in the place of a configured key, or along with it, to a storage that it isn't for.
"""
_IN_SECONDS = {
    "connect_timeout",
    "http2_keep_alive_interval",
    "http2_keep_alive_timeout",
    "pool_idle_timeout",
}
_logger = logging.getLogger(__name__)


class ClientConfig(Protocol):
    """What is used of dagster-deltalake's configuration classes: pydantic's values.

    Their own `str_dict` calls what pydantic deprecates.
    """

    def model_dump(self, *, exclude_none: bool) -> dict[str, Any]: ...


class ProviderConfig(ClientConfig, Protocol):
    """The same of a provider."""

    @property
    def provider(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Retries:
    """How the client libraries repeat one failed request; the waits double."""

    limit: int = 10
    within: timedelta = timedelta(minutes=3)
    first_wait: timedelta = timedelta(milliseconds=100)
    longest_wait: timedelta = timedelta(seconds=15)


@dataclass(frozen=True)
class StorageLocation:
    """The root folder of the tables.

    Attributes:
        root: Local path or URL (`s3://`, `abfss://`, `gs://`).
        provider: Options of the store; its secrets stay out of `repr`.
        client: Options of the HTTP client.
        retries: How failed requests are repeated.

    Raises:
        ConfigError: Root and options contradict each other, or commits would not be safe.
    """

    root: str
    provider: ProviderConfig = field(repr=False)
    client: ClientConfig | None = field(default=None, repr=False)
    retries: Retries = Retries()

    def __post_init__(self) -> None:
        """Refuse what can't work, and say aloud what isn't safe."""
        scheme = _scheme(self.root)
        expected = _PROVIDERS.get(scheme)
        if expected is None:
            known = "a local path, s3://, abfss:// or gs://"
            raise ConfigError(f"storage root {self._shown}: {scheme}:// can't be used; use {known}")
        if expected != self.provider.provider:
            wrong = f"needs options of provider {expected}, not {self.provider.provider}"
            raise ConfigError(f"storage root {self._shown} {wrong}")
        folder = str(self.local_path or self.root)
        if re.search(r"(^|/)(organization_id|partition_date)=", folder):
            wrong = "a folder above the tables can't be named like a partition; rename it"
            raise ConfigError(f"storage root {self._shown}: {wrong}")
        if unfit := re.search(r"[%#?{}^`|<>\\\x00-\x1f\x7f]", folder):
            # delta-rs finds no history below `#`, and another folder below `%41`.
            wrong = f"a folder with {unfit[0]!r} in its name can't hold tables; rename it"
            raise ConfigError(f"storage root {self._shown}: {wrong}")
        self._refuse_contradictions(_texts(self.provider))
        self._refuse_foreign_credentials(_texts(self.provider))
        if _is_true(self._client.get("allow_invalid_certificates", "")):
            _logger.warning("TLS certificates of %s are not verified", self._shown)

    def _refuse_contradictions(self, options: Mapping[str, str]) -> None:
        bucket_key = _BUCKET.get(self.provider.provider, "")
        bucket = urlsplit(self.root).netloc.partition("@")[0]
        if options.get(bucket_key, bucket) != bucket:
            wrong = f"option {bucket_key} names another one; leave the option out"
            raise ConfigError(f"storage root {self._shown}: {wrong}")
        if _is_true(options.get("allow_unsafe_rename", "")):
            wrong = "with allow_unsafe_rename two writers overwrite each other's commits"
            remedy = "remove it: S3 and its likes accept conditional puts today"
            raise ConfigError(f"storage root {self._shown}: {wrong}; {remedy}")

    def _refuse_foreign_credentials(self, options: Mapping[str, str]) -> None:
        """Configured credentials and the environment's are never mixed."""
        stronger: list[str] = []
        for names, variables in _CREDENTIALS.get(self.provider.provider, ()):
            given = next((name for name in names if name in options), None)
            found = next((name for name in stronger if name in os.environ), None)
            if given and found:
                wrong = f"the environment's {found} would be sent in the place of option {given}"
                remedy = (
                    "give the variable a name of your own, and write env:NAME into the options "
                    "of the storage that it is meant for"
                )
                raise ConfigError(f"storage root {self._shown}: {wrong}; {remedy}")
            if given:
                return
            stronger += variables

    @property
    def local_path(self) -> Path | None:
        """The root on this machine's disks; None: it is an object store."""
        if self.provider.provider != "local":
            return None
        is_url = _scheme(self.root) == "file"
        path = unquote(urlsplit(self.root).path) if is_url else self.root
        return Path(path).expanduser().absolute()

    def uri(self, table: str) -> str:
        """Folder of a table, without a slash at the end."""
        path = self.local_path
        return f"{self.root.rstrip('/')}/{table}" if path is None else str(path / table)

    @property
    def delta_options(self) -> dict[str, str] | None:
        """Options for delta-rs: text only."""
        if self.local_path is not None:
            return None
        return {
            **self._provider,
            **self._client,
            "max_retries": str(self.retries.limit),
            "retry_timeout": _humantime(self.retries.within),
            "backoff_config.init_backoff": _humantime(self.retries.first_wait),
            "backoff_config.max_backoff": _humantime(self.retries.longest_wait),
        }

    @property
    def polars_options(self) -> dict[str, str | int] | None:
        """Options for Polars, which refuses text where it wants a number."""
        if self.local_path is not None:
            return None
        return {
            **self._provider,
            **self._client,
            "max_retries": self.retries.limit,
            "retry_timeout_ms": _milliseconds(self.retries.within),
            "retry_init_backoff_ms": _milliseconds(self.retries.first_wait),
            "retry_max_backoff_ms": _milliseconds(self.retries.longest_wait),
        }

    @cached_property
    def store(self) -> ObjectStore:
        """The root as obstore sees it; paths in it are relative to the root."""
        path = self.local_path
        if path is not None:
            return LocalStore(path, mkdir=True)
        backoff = {
            "init_backoff": self.retries.first_wait,
            "max_backoff": self.retries.longest_wait,
            "base": 2,
        }
        return from_url(
            self.root,
            config=cast("Any", self._provider),
            client_options=cast("Any", self._client),
            retry_config={
                "max_retries": self.retries.limit,
                "retry_timeout": self.retries.within,
                "backoff": cast("Any", backoff),
            },
        )

    def redacted(self, text: str) -> str:
        """The text without any secret of the options, signature or password in a URL."""
        return redacted(text, self._secrets)

    @property
    def _provider(self) -> dict[str, str]:
        names = _OPTIONS[self.provider.provider]
        options = {names[k]: v for k, v in _texts(self.provider).items() if k in names}
        return options | ({"aws_conditional_put": "etag"} if names is _OPTIONS["s3"] else {})

    @property
    def _client(self) -> dict[str, str]:
        options = {} if self.client is None else _texts(self.client)
        return {
            name: f"{value}s" if name in _IN_SECONDS and value.isdigit() else value
            for name, value in options.items()
        }

    @property
    def _secrets(self) -> set[str]:
        options = _texts(self.provider).items()
        return {value for name, value in options if value and _is_secret(name)}

    @property
    def _shown(self) -> str:
        return self.redacted(self.root)


def _texts(config: ClientConfig) -> dict[str, str]:
    return {name: str(value) for name, value in config.model_dump(exclude_none=True).items()}


def _scheme(root: str) -> str:
    return root.partition("://")[0].lower() if "://" in root else ""


def _is_secret(option: str) -> bool:
    return is_secret_name(option) or option == "access_key_id"


def _is_true(text: str) -> bool:
    return text.lower() in {"1", "true", "on", "yes", "y"}


def _milliseconds(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)


def _humantime(span: timedelta) -> str:
    return f"{_milliseconds(span)}ms"
