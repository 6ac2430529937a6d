"""Who is asking, tokens, secrets and mounts."""

import base64

from overwatch_assets.demo.emulator.call import Call, Endpoint, get
from overwatch_assets.demo.emulator.paging import listed
from overwatch_assets.demo.emulator.refusals import missing
from overwatch_assets.demo.emulator.workspace import Json

MOUNTS_MOST = 50
"""Mounts that `search-mounts` tells; there is no page after them."""


def object_endpoints() -> tuple[Endpoint, ...]:
    """Every endpoint of the workspace's own objects."""
    return (
        get("/api/2.0/preview/scim/v2/Me", _me),
        get("/api/2.0/token/list", _tokens),
        get("/api/2.0/secrets/scopes/list", _scopes),
        get("/api/2.0/secrets/list", _secret_keys, "scope"),
        get("/api/2.0/secrets/get", _secret, "scope", "key"),
        get("/api/2.0/dbfs/search-mounts", _mounts),
    )


def _me(call: Call) -> Json:
    return {"id": "1", "userName": call.principal, "displayName": call.principal, "active": True}


def _tokens(call: Call) -> Json:
    return listed("token_infos", call.workspace.tokens(call.now_ms))


def _scopes(call: Call) -> Json:
    names = sorted({scope for scope, _ in call.workspace.secrets()})
    return listed("scopes", [{"name": name, "backend_type": "DATABRICKS"} for name in names])


def _secret_keys(call: Call) -> Json:
    scope = call.parameters.required("scope")
    keys = sorted(key for each, key in call.workspace.secrets() if each == scope)
    if not keys:
        raise missing(f"Scope {scope} does not exist!")
    return {"secrets": [{"key": key} for key in keys]}


def _secret(call: Call) -> Json:
    scope, key = call.parameters.required("scope"), call.parameters.required("key")
    value = call.workspace.secrets().get((scope, key))
    if value is None:
        raise missing(f"Failed to get secret {key} for scope {scope}.")
    return {"key": key, "value": base64.b64encode(value.encode()).decode()}


def _mounts(call: Call) -> Json:
    return listed("mounts", call.workspace.mounts()[:MOUNTS_MOST])
