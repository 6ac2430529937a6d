"""Clusters and what they are made of: pools, policies, libraries, profiles, init scripts."""

from collections.abc import Callable, Sequence

from overwatch_assets.demo.emulator.call import Call, Endpoint, Parameters, get, post
from overwatch_assets.demo.emulator.paging import Page, listed, position
from overwatch_assets.demo.emulator.refusals import Refused, invalid
from overwatch_assets.demo.emulator.workspace import Json

CLUSTERS_DEFAULT, CLUSTERS_MOST = 20, 100
EVENTS_DEFAULT, EVENTS_MOST = 50, 500
FOREVER_MS = 1 << 62


def compute_endpoints() -> tuple[Endpoint, ...]:
    """Every endpoint of compute."""
    filters = (f"filter_by.{name}" for name in _CLUSTER_FILTERS)
    events = ("cluster_id", "start_time", "end_time", "event_types", "order")
    return (
        get("/api/2.1/clusters/list", _clusters, "page_size", "page_token", *filters),
        get("/api/2.1/clusters/get", _cluster, "cluster_id"),
        get("/api/2.1/clusters/list-node-types", _node_types),
        post(
            "/api/2.1/clusters/events",
            _events,
            *events,
            "page_size",
            "page_token",
            "limit",
            "offset",
        ),
        _whole(
            "/api/2.0/instance-pools/list",
            "instance_pools",
            lambda call: call.workspace.instance_pools(call.now_ms),
        ),
        _whole(
            "/api/2.0/policies/clusters/list",
            "policies",
            lambda call: call.workspace.policies(call.now_ms),
        ),
        _whole(
            "/api/2.0/libraries/all-cluster-statuses",
            "statuses",
            lambda call: call.workspace.library_statuses(call.now_ms),
        ),
        _whole(
            "/api/2.0/instance-profiles/list",
            "instance_profiles",
            lambda call: call.workspace.instance_profiles(call.now_ms),
        ),
        _whole(
            "/api/2.0/global-init-scripts",
            "scripts",
            lambda call: call.workspace.init_scripts(call.now_ms),
        ),
    )


def missing_cluster(cluster_id: str) -> Refused:
    """What is said of a cluster that does not exist, or no longer."""
    return invalid(f"Cluster {cluster_id} does not exist")


def _whole(path: str, key: str, items_of: Callable[[Call], Sequence[Json]]) -> Endpoint:
    """An endpoint that lists everything in one answer."""
    return get(path, lambda call: listed(key, items_of(call)))


_CLUSTER_FILTERS = {
    "cluster_sources": "cluster_source",
    "cluster_states": "state",
    "policy_id": "policy_id",
}


def _clusters(call: Call) -> Json:
    at = position(call)
    size = at.asked.limited("page_size", least=0, most=FOREVER_MS) or CLUSTERS_DEFAULT
    wanted = {
        field: at.asked.several(f"filter_by.{name}") for name, field in _CLUSTER_FILTERS.items()
    }
    clusters = [
        each
        for each in call.workspace.clusters(at.at_ms)
        if all(not values or each.get(field) in values for field, values in wanted.items())
    ]
    page = at.page(clusters, min(size, CLUSTERS_MOST))
    return {**listed("clusters", page.items), **_both_tokens(page)}


def _cluster(call: Call) -> Json:
    cluster_id = call.parameters.required("cluster_id")
    cluster = call.workspace.cluster(cluster_id, call.now_ms)
    if cluster is None:
        raise missing_cluster(cluster_id)
    return cluster


def _node_types(call: Call) -> Json:
    return {"node_types": call.workspace.node_types()}


def _events(call: Call) -> Json:
    """`clusters/events`: pages by token, or as long as it lasts by offset and limit."""
    if {"limit", "offset"} & call.parameters.values.keys():
        return _events_by_offset(call)
    at = position(call)
    size = at.asked.limited("page_size", least=0, most=FOREVER_MS) or EVENTS_DEFAULT
    events = _events_of(call, at.asked, at.at_ms)
    page = at.page(events, min(size, EVENTS_MOST))
    answer = {**listed("events", page.items), **_both_tokens(page)}
    is_old_client = "page_size" not in at.asked.values and at.offset == 0
    if is_old_client and page.next_token:
        answer |= {
            "next_page": _next_page(at.asked, size, size, at.at_ms),
            "total_count": len(events),
        }
    return answer if events else {}


def _events_by_offset(call: Call) -> Json:
    asked = call.parameters
    if asked.text("page_token"):
        raise invalid("page_token: can't be combined with limit and offset")
    limit = asked.limited("limit", least=0, most=EVENTS_MOST) or EVENTS_DEFAULT
    offset = asked.limited("offset", least=0, most=FOREVER_MS) or 0
    if offset and _order(asked) == "DESC" and asked.number("end_time") is None:
        raise invalid("end_time: is required when an offset is given in descending order")
    events = _events_of(call, asked, call.now_ms)
    answer = {**listed("events", events[offset : offset + limit]), "total_count": len(events)}
    if offset + limit < len(events):
        answer["next_page"] = _next_page(asked, offset + limit, limit, call.now_ms)
    return answer


def _next_page(asked: Parameters, offset: int, limit: int, now_ms: int) -> Json:
    """The body that asks for the next page, in the deprecated manner."""
    kept = {key: value for key, value in asked.values.items() if key != "page_size"}
    return {"end_time": now_ms, **kept, "offset": offset, "limit": limit}


def _events_of(call: Call, asked: Parameters, at_ms: int) -> list[Json]:
    cluster_id = asked.required("cluster_id")
    events = call.workspace.cluster_events(cluster_id, at_ms)
    if events is None:
        raise missing_cluster(cluster_id)
    start_ms = asked.number("start_time") or 0
    end_ms = asked.number("end_time")
    types = asked.several("event_types")
    latest_ms = FOREVER_MS if end_ms is None else end_ms
    kept = [
        each
        for each in events
        if start_ms <= int(str(each["timestamp"])) <= latest_ms
        and (not types or each["type"] in types)
    ]
    return kept if _order(asked) == "ASC" else kept[::-1]


def _order(asked: Parameters) -> str:
    order = asked.text("order") or "DESC"
    if order not in {"ASC", "DESC"}:
        raise invalid(f"order: {order!r} is neither ASC nor DESC")
    return order


def _both_tokens(page: Page) -> Json:
    """The tokens as clusters have them: blank where there is no page."""
    return {
        "next_page_token": page.next_token or "",
        "prev_page_token": page.previous_token or "",
    }
