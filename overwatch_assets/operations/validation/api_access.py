"""Whether a workspace's REST API answers, and whether the identity may ask what is asked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import cast

from overwatch_assets.config import Workspace
from overwatch_assets.errors import ConfigError
from overwatch_assets.module import Module
from overwatch_assets.operations.validation.findings import Check, Finding
from overwatch_assets.operations.validation.probes import (
    CLUSTERS_PROBE,
    PROBES,
    EventsProbe,
    Probe,
    asked_sources,
)
from overwatch_assets.sources.rest_api.api import Api, ApiError, ApiRefused, Json, NotAdmitted
from overwatch_assets.sources.rest_api.client import permission_for
from overwatch_assets.sources.rest_api.fan_out import fan_out

CONNECTIVITY, PERMISSION = "APIURL_Connectivity", "API_Permission"
_IDENTITY = "Check the identity under `databricks`, and whether its secret has expired"
_NETWORK = "Check `host`, `proxy` and `ca_bundle` under `databricks`, and the network"


@dataclass(frozen=True, slots=True)
class ApiAccess:
    """What may be asked of a workspace's API.

    Attributes:
        findings: The checks.
        api: The API; None: it can't be asked.
        why_not: Why it can't be; blank where it can.
        denied: By source why it tells nothing.
    """

    findings: Sequence[Finding]
    api: Api | None = None
    why_not: str = ""
    denied: Mapping[str, str] = field(default_factory=dict[str, str])


def api_access(
    workspace: Workspace, modules: Sequence[Module], connect: Callable[[], Api]
) -> ApiAccess:
    """Ask for clusters, and then once for whatever the workspace's modules ask.

    Args:
        workspace: The workspace.
        modules: All modules; those that are switched off are not asked for.
        connect: Makes the API.
    """
    check = Check(CONNECTIVITY, workspace.organization_id, f"GET {CLUSTERS_PROBE.path}")
    if workspace.databricks is None:
        why = "no `databricks` is configured"
        remedy = "Add it to the workspace for the tables that are made from the API"
        return ApiAccess([check.skipped(why, remedy)], why_not=why)
    check = replace(check, tried=f"GET {CLUSTERS_PROBE.path} at {workspace.databricks.host}")
    api = connect()
    try:
        told = CLUSTERS_PROBE.ask(api)
    except ConfigError as error:
        return ApiAccess([check.failed(error, _IDENTITY)], why_not=str(error))
    except ApiRefused as error:
        if error.status != HTTPStatus.FORBIDDEN or "token" in error.said.casefold():
            refused = check.error(_answer(error), _remedy(error, ""))
            return ApiAccess([refused], why_not=_answer(error))
        denied = check.error(_answer(error), _remedy(error, CLUSTERS_PROBE.path))
        return _permissions(workspace, modules, api, denied, clusters=[])
    except ApiError as error:
        remedy = _IDENTITY if isinstance(error, NotAdmitted) else _NETWORK
        return ApiAccess([check.failed(error, remedy)], why_not=str(error))
    clusters = _objects(told, CLUSTERS_PROBE)
    return _permissions(workspace, modules, api, check.ok("answered"), clusters=clusters)


def _permissions(
    workspace: Workspace,
    modules: Sequence[Module],
    api: Api,
    connected: Finding,
    clusters: Sequence[Json],
) -> ApiAccess:
    asked = asked_sources(workspace, modules)
    findings = [connected]
    denied: dict[str, str] = {}
    known = next((str(each.get("cluster_id")) for each in clusters), "")
    probes = {source: _of_cluster(PROBES[source], known) for source in asked}
    askable = [source for source, probe in probes.items() if _is_askable(probe)]
    threads = workspace.databricks.parallel_requests if workspace.databricks else 1
    answers = dict(
        zip(
            askable,
            fan_out(lambda each: probes[each].ask(api), askable, threads=threads),
            strict=True,
        )
    )
    for source, module in asked.items():
        probe = probes[source]
        tried = f"{probe.path}, scope {module.scope}"
        check = Check(PERMISSION, workspace.organization_id, tried)
        match answers.get(source):
            case None:
                findings.append(check.skipped("no cluster is known to ask about"))
            case ApiRefused(is_missing=True):
                # The cluster went away since it was listed; who may not ask is told so instead.
                findings.append(check.ok("may be asked; the cluster it was tried on is gone"))
            case ApiRefused() as error:
                findings.append(check.error(_answer(error), _remedy(error, probe.path, module)))
                denied[source] = f"{probe.path} {_answer(error)}"
            case ApiError() as error:
                findings.append(check.failed(error, _NETWORK))
                denied[source] = str(error)
            case told:
                findings.append(_told(check, probe, told))
    return ApiAccess(findings, api=api, denied=denied)


def _of_cluster(probe: Probe, cluster_id: str) -> Probe:
    return replace(probe, cluster_id=cluster_id) if isinstance(probe, EventsProbe) else probe


def _is_askable(probe: Probe) -> bool:
    return not isinstance(probe, EventsProbe) or bool(probe.cluster_id)


def _told(check: Check, probe: Probe, told: Json) -> Finding:
    if _objects(told, probe):
        return check.ok("may be asked")
    if not probe.is_odd_when_empty:
        return check.ok("may be asked; there is none, or none that the identity sees")
    return check.warning(
        "may be asked, but lists nothing",
        f"If there is something, grant the identity {permission_for(probe.path)}: the API leaves "
        "out what an identity may not see",
    )


def _objects(told: Json, probe: Probe) -> Sequence[Json]:
    found = told.get(probe.key)
    return cast("Sequence[Json]", found) if isinstance(found, list) else ()


def _answer(error: ApiRefused) -> str:
    said = f": {error.said}" if error.said else ""
    return f"answered {' '.join(filter(None, (str(error.status), error.code)))}{said}"


def _remedy(error: ApiRefused, path: str, module: Module | None = None) -> str:
    match error.status:
        case HTTPStatus.FORBIDDEN if path:
            grant = f"Grant the identity {permission_for(path)}"
            return f"{grant}; or exclude scope {module.scope}" if module else grant
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return _IDENTITY
        case HTTPStatus.NOT_FOUND:
            return "Check that `host` is the workspace's address, and that it has this API"
        case _:
            return _NETWORK
