"""Where tables are written and logs are read: a root and the options to reach it.

The options are those of dagster-deltalake's configuration classes, field for field; those
classes are not imported here because they bring Dagster and Arrow with them. A test holds the
names together.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from overwatch_assets.configuration.fields import (
    WORKSPACE_FOLDERS,
    Location,
    Secret,
    Setting,
    scheme_of,
)
from overwatch_assets.configuration.problems import refusal
from overwatch_assets.secrets import SecretReference, Secrets

OptionValue = str | int | bool | SecretStr


class Strict(BaseModel):
    """A part of the configuration: no unknown keys, no changes, no values in error texts."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Provider(StrEnum):
    """Kind of a storage, by the scheme of its root."""

    LOCAL = "local"
    S3 = "s3"
    AZURE = "azure"
    GCS = "gcs"


SCHEMES = {"s3": Provider.S3, "abfss": Provider.AZURE, "gs": Provider.GCS}


def provider_of(location: str) -> Provider | None:
    """Kind of storage a location lies in; None: one without options of its own here."""
    scheme = scheme_of(location)
    if scheme in {"", "file"}:
        return None if location.startswith(WORKSPACE_FOLDERS) else Provider.LOCAL
    return SCHEMES.get(scheme)


ALL_CONTAINERS = "abfss://@"
"""How the root of all containers of an account begins."""


def azure_account(location: str) -> str | None:
    """Storage account of `abfss://container@account.dfs...`; None: the URL has none."""
    found = re.match(r"abfss://[^@/]*@([^./]+)", location)
    return found.group(1) if found else None


def _azure_host(location: str) -> str:
    """Host of `abfss://container@host/path`; empty: there is none."""
    scheme, _, rest = location.partition("://")
    return rest.partition("/")[0].partition("@")[2] if scheme == "abfss" else ""


class LocalOptions(Strict):
    """A folder of this machine needs no options."""


class S3Options(Strict):
    """Options of S3; left out: the environment's or the machine's own credentials."""

    access_key_id: Setting | None = Field(default=None, description="AWS access key id.")
    secret_access_key: Secret | None = Field(default=None, description="AWS secret access key.")
    region: Setting | None = Field(
        default=None, description="AWS region.", examples=["eu-central-1"]
    )
    bucket: Setting | None = Field(
        default=None, description="Bucket, where the root does not name it."
    )
    endpoint: Setting | None = Field(
        default=None,
        description="Address of an S3 service other than AWS.",
        examples=["http://minio:9000"],
    )
    token: Secret | None = Field(default=None, description="Session token.")
    imdsv1_fallback: bool | None = Field(
        default=None, description="Fall back to version 1 of the instance metadata service."
    )
    virtual_hosted_style_request: Setting | None = Field(
        default=None, description="Name the bucket in the host name.", examples=["true"]
    )
    unsigned_payload: bool | None = Field(
        default=None, description="Sign requests without their content."
    )
    checksum: Setting | None = Field(
        default=None, description="Checksum algorithm.", examples=["sha256"]
    )
    metadata_endpoint: Setting | None = Field(
        default=None, description="Address of the instance metadata service."
    )
    container_credentials_relative_uri: Setting | None = Field(
        default=None, description="Where an ECS task finds its credentials."
    )
    copy_if_not_exists: Setting | None = Field(
        default=None, description="How a service other than AWS copies without overwriting."
    )
    allow_unsafe_rename: bool | None = Field(
        default=None, description="Commit although the service can't exclude another writer."
    )


class AzureOptions(Strict):
    """Options of Azure; left out: the environment's or the machine's own credentials."""

    account_name: Setting | None = Field(
        default=None, description="Storage account; left out: the root's.", examples=["acmelake"]
    )
    client_id: Setting | None = Field(default=None, description="Client id of a service principal.")
    client_secret: Secret | None = Field(default=None, description="Its secret.")
    tenant_id: Setting | None = Field(default=None, description="Its tenant.")
    federated_token_file: Setting | None = Field(
        default=None, description="File with a federated token, as workload identity writes it."
    )
    account_key: Secret | None = Field(default=None, description="Key of the storage account.")
    sas_key: Secret | None = Field(default=None, description="Shared access signature.")
    token: Secret | None = Field(default=None, description="Bearer token.")
    use_azure_cli: bool | None = Field(default=None, description="Use the login of the Azure CLI.")
    use_fabric_endpoint: bool | None = Field(
        default=None, description="The account is Microsoft Fabric's."
    )
    msi_resource_id: Setting | None = Field(
        default=None, description="Resource id of a managed identity."
    )
    msi_endpoint: Setting | None = Field(
        default=None, description="Address that hands out a managed identity's tokens."
    )
    container_name: Setting | None = Field(
        default=None, description="Container, where the root does not name it."
    )
    endpoint: Setting | None = Field(
        default=None,
        description="Address of the account's Blob service outside Azure's public cloud; "
        "not one of dagster-deltalake's.",
        examples=["https://acmelake.blob.core.usgovcloudapi.net"],
    )


class GcsOptions(Strict):
    """Options of Google Cloud Storage; left out: the environment's or the machine's own."""

    service_account: Setting | None = Field(
        default=None, description="Path of a service account file."
    )
    service_account_key: Secret | None = Field(
        default=None, description="Content of a service account file."
    )
    bucket: Setting | None = Field(
        default=None, description="Bucket, where the root does not name it."
    )
    application_credentials: Setting | None = Field(
        default=None, description="Path of an application credentials file."
    )


class ClientOptions(Strict):
    """How object storage is spoken to over HTTP."""

    allow_http: bool | None = Field(default=None, description="Accept an endpoint without TLS.")
    allow_invalid_certificates: bool | None = Field(
        default=None, description="Accept any certificate: for tests only."
    )
    connect_timeout: int | None = Field(
        default=None, ge=1, description="Seconds to wait for a connection."
    )
    default_content_type: Setting | None = Field(
        default=None, description="Content type of files written."
    )
    http1_only: bool | None = Field(default=None, description="Speak HTTP/1 only.")
    http2_keep_alive_interval: int | None = Field(
        default=None, ge=1, description="Seconds between HTTP/2 pings."
    )
    http2_keep_alive_timeout: int | None = Field(
        default=None, ge=1, description="Seconds to wait for the answer to a ping."
    )
    http2_keep_alive_while_idle: Setting | None = Field(
        default=None, description="Ping on idle HTTP/2 connections too."
    )
    http2_only: bool | None = Field(default=None, description="Speak HTTP/2 only.")
    pool_idle_timeout: int | None = Field(
        default=None, ge=1, description="Seconds an idle connection is kept."
    )
    pool_max_idle_per_host: int | None = Field(
        default=None, ge=0, description="Idle connections kept per host."
    )
    proxy_url: Setting | None = Field(
        default=None,
        description="HTTP proxy; as a reference if its address holds a password.",
        examples=["http://proxy:3128", "env:PROXY_URL"],
    )
    timeout: Setting | None = Field(
        default=None, description="Time for a whole request.", examples=["120s"]
    )
    user_agent: Setting | None = Field(default=None, description="User-Agent header.")


Options = S3Options | AzureOptions | GcsOptions | LocalOptions
OPTIONS: Mapping[Provider, type[Options]] = {
    Provider.LOCAL: LocalOptions,
    Provider.S3: S3Options,
    Provider.AZURE: AzureOptions,
    Provider.GCS: GcsOptions,
}


def _with_provider(location: str) -> str:
    if provider_of(location) is None:
        remedy = "Write a folder, s3://, abfss://container@account.dfs.core.windows.net/ or gs://"
        if location.startswith(WORKSPACE_FOLDERS):
            remedy += "; what a workspace holds itself is read without one"
        raise refusal("lies in no storage that can hold tables", remedy)
    return location


StorageRoot = Annotated[Location, AfterValidator(_with_provider)]


@dataclass(frozen=True, slots=True)
class ResolvedStorage:
    """A storage with its references followed; secrets show themselves as asterisks.

    Attributes:
        root: Absolute path or URL.
        provider: Its kind.
        options: Fields of dagster-deltalake's class of that kind, without those left out.
        client_options: Fields of its `ClientConfig`, likewise.
    """

    root: str
    provider: Provider
    options: Mapping[str, OptionValue]
    client_options: Mapping[str, OptionValue]


def _resolved(values: Mapping[str, object], secrets: Secrets) -> dict[str, OptionValue]:
    resolved: dict[str, OptionValue] = {}
    for name, value in values.items():
        if isinstance(value, SecretReference):
            resolved[name] = secrets.resolve(value)
        elif isinstance(value, str | int | bool):
            resolved[name] = value
    return resolved


class Storage(Strict):
    """A root, and how what lies below it is reached."""

    root: StorageRoot = Field(
        description="Folder, or URL with s3://, abfss:// or gs://.",
        examples=["s3://acme-lake/overwatch"],
    )
    options: Options = Field(
        default=LocalOptions(),
        validate_default=True,
        description="Access to the root; which options there are depends on its scheme. "
        "Left out: credentials of the environment or the machine.",
    )
    client_options: ClientOptions = Field(default=ClientOptions(), description="HTTP settings.")

    @field_validator("options", mode="wrap")
    @classmethod
    def _of_provider(
        cls, value: object, _: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> Options:
        if "root" not in info.data:
            return LocalOptions()  # The root is refused; its options are checked once it is mended.
        model = OPTIONS[provider_of(info.data["root"]) or Provider.LOCAL]
        is_left_out = value is None or isinstance(value, LocalOptions)
        return model() if is_left_out else model.model_validate(value, context=info.context)

    @model_validator(mode="after")
    def _names_its_account(self) -> Self:
        if isinstance(self.options, AzureOptions):
            of_root, given = azure_account(self.root), self.options.account_name
            if of_root is None and given is None:
                remedy = "Write abfss://container@account.dfs.core.windows.net/path"
                raise _problems({("root",): refusal("names no storage account", remedy)})
            if of_root and isinstance(given, str) and given != of_root:
                what, remedy = f"is not the root's account, {of_root}", "Leave it out"
                path = ("options", "account_name")
                raise _problems({path: refusal(what, remedy)})
        return self

    @property
    def provider(self) -> Provider:
        """Kind of the storage."""
        return provider_of(self.root) or Provider.LOCAL

    def covers(self, location: str) -> bool:
        """Whether a location is the root or lies below it."""
        if self.root.startswith(ALL_CONTAINERS):
            return _azure_host(location) == _azure_host(self.root)
        return location == self.root or location.startswith(f"{self.root.rstrip('/')}/")

    @property
    def shared_roots(self) -> Sequence[str]:
        """Roots of everything that `shares_access_with` says yes to; none of a local storage.

        A root without a bucket is of all buckets, `abfss://@host` of all containers of an
        account, and `abfss://@` of those that name no account.
        """
        match self.provider:
            case Provider.LOCAL:
                return ()
            case Provider.AZURE:
                roots = (f"{ALL_CONTAINERS}{_azure_host(self.root)}", ALL_CONTAINERS)
                return tuple(dict.fromkeys(roots))
            case Provider.S3 | Provider.GCS:
                return (f"{scheme_of(self.root)}://",)

    def shares_access_with(self, location: str) -> bool:
        """Whether credentials for the root are meant for a location too."""
        if provider_of(location) is not self.provider:
            return False
        account = azure_account(location)
        return account is None or account == azure_account(self.root)

    def resolve(self, secrets: Secrets) -> ResolvedStorage:
        """Follow the references; anew at each use.

        Raises:
            ConfigError: One leads nowhere.
        """
        options = dict(self.options)
        if self.provider is Provider.AZURE and options["account_name"] is None:
            options["account_name"] = azure_account(self.root)
        return ResolvedStorage(
            root=self.root.removeprefix("file://"),
            provider=self.provider,
            options=_resolved(options, secrets),
            client_options=_resolved(dict(self.client_options), secrets),
        )


def storage_for(location: str, sources: Sequence[Storage], tables: Storage) -> Storage | None:
    """The storage whose options reach a location that is read.

    Args:
        location: Absolute path or URL.
        sources: Storages configured for reading; the longest root above the location wins.
        tables: Storage of the tables; its credentials serve the same kind (and account) too.

    Returns:
        None: none is configured; the environment's or machine's credentials are used.
    """
    covering = [each for each in sources if each.covers(location)]
    if covering:
        return max(covering, key=lambda storage: len(storage.root))
    return tables if tables.shares_access_with(location) else None


def _problems(errors: Mapping[tuple[str, ...], PydanticCustomError]) -> ValidationError:
    details = [InitErrorDetails(type=error, loc=key, input=None) for key, error in errors.items()]
    return ValidationError.from_exception_data("storage", details, hide_input=True)
