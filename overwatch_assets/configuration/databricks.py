"""How a workspace's REST API is reached: address, identity, pace.

Identity is databricks-sdk's unified authentication, field for field; what is left out here the
SDK looks for in the environment and on the machine.
"""

import re
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, model_validator

from overwatch_assets.configuration.fields import LocalPath, Secret, Setting, Text
from overwatch_assets.configuration.problems import refusal
from overwatch_assets.configuration.storage import Strict
from overwatch_assets.secrets import looks_secret

IDENTITY = (
    "client_id",
    "client_secret",
    "azure_tenant_id",
    "azure_client_id",
    "azure_client_secret",
    "azure_use_msi",
    "google_service_account",
    "token",
    "profile",
)
"""Settings that say who asks, by databricks-sdk's names."""

_LOOPBACK = {"localhost", "127.0.0.1", "[::1]", "::1"}


def _host(value: object) -> str:
    text = value.strip().rstrip("/") if isinstance(value, str) else ""
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        text = f"https://{text}"
    if looks_secret(text):
        raise refusal("holds a password", "Write the address alone")
    address = urlsplit(text)
    is_safe = address.scheme == "https" or address.hostname in _LOOPBACK
    if address.scheme not in {"http", "https"} or not address.hostname or not is_safe:
        raise refusal("is no https address", "Write for example https://acme.cloud.databricks.com")
    if address.path or address.query or address.fragment:
        raise refusal("is more than an address", "Write it without what follows the host's name")
    return f"{address.scheme}://{address.netloc}"


Host = Annotated[Text, BeforeValidator(_host)]


class Databricks(Strict):
    """A workspace's REST API."""

    host: Host = Field(
        description="Address of the workspace, without a path.",
        examples=["https://acme.cloud.databricks.com"],
    )
    client_id: Setting | None = Field(
        default=None,
        description="Application id of a service principal (OAuth), the recommended identity.",
        examples=["8f0c9d1e-0000-4000-8000-1234567890ab"],
    )
    client_secret: Secret | None = Field(
        default=None, description="Its OAuth secret.", examples=["env:DATABRICKS_CLIENT_SECRET"]
    )
    azure_tenant_id: Setting | None = Field(
        default=None, description="Tenant of an Azure service principal."
    )
    azure_client_id: Setting | None = Field(
        default=None, description="Client id of an Azure service principal or managed identity."
    )
    azure_client_secret: Secret | None = Field(
        default=None, description="Secret of the Azure service principal."
    )
    azure_use_msi: bool | None = Field(
        default=None, description="Use the machine's Azure managed identity."
    )
    google_service_account: Setting | None = Field(
        default=None, description="Google service account to act as."
    )
    token: Secret | None = Field(
        default=None,
        description="Personal access token; a service principal is better, for a person may leave.",
        examples=["env:DATABRICKS_TOKEN"],
    )
    profile: Setting | None = Field(
        default=None, description="Profile of the Databricks configuration file."
    )
    requests_per_second: int = Field(
        default=10,
        ge=1,
        le=100,
        description="Most requests to the workspace in a second, all tables together.",
        examples=[10],
    )
    parallel_requests: int = Field(
        default=4, ge=1, le=20, description="Requests at the same time.", examples=[4]
    )
    timeout_seconds: int = Field(
        default=60, ge=1, le=600, description="Seconds to wait for an answer.", examples=[60]
    )
    retry_seconds: int = Field(
        default=300,
        ge=1,
        le=3600,
        description="Seconds for which a request is tried again when the workspace is busy, "
        "unreachable or broken.",
        examples=[300],
    )
    proxy: Setting | None = Field(
        default=None,
        description="HTTP proxy; as a reference if its address holds a password.",
        examples=["http://proxy:3128", "env:PROXY_URL"],
    )
    ca_bundle: LocalPath | None = Field(
        default=None,
        description="File of the certificates that are trusted instead of the machine's.",
        examples=["/etc/ssl/acme-ca.pem"],
    )

    @model_validator(mode="after")
    def _one_identity(self) -> Self:
        given = {
            name
            for name, value in (
                ("client_id", self.client_id or self.client_secret),
                ("azure_client_id", self.azure_client_id or self.azure_client_secret),
                ("google_service_account", self.google_service_account),
                ("token", self.token),
                ("profile", self.profile),
            )
            if value is not None
        }
        if len(given) > 1:
            names = " and ".join(sorted(given))
            raise refusal(f"names more than one identity: {names}", "Keep one of them")
        if (self.client_id is None) != (self.client_secret is None):
            missing = "client_secret" if self.client_secret is None else "client_id"
            raise refusal(f"has no {missing}", "Give client_id and client_secret together")
        if self.azure_client_secret and not (self.azure_client_id and self.azure_tenant_id):
            what = "has an azure_client_secret alone"
            raise refusal(what, "Give azure_tenant_id and azure_client_id with it")
        return self
