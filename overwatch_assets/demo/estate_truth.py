"""The ground truth of what is neither Spark, cluster nor job, taken from the simulation itself.

Nothing here reads a file or an answer of the API, or shares code with what does. Days are UTC.
An interval that lasts when the world ends counts up to that end.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import pairwise

from overwatch_assets.demo.command_costs import command_costs
from overwatch_assets.demo.estate import (
    KeptObject,
    Kind,
    NotebookCommand,
    SqlQuery,
    Warehouse,
    WarehouseState,
)
from overwatch_assets.demo.scene import DAY_MS, HOUR_MS
from overwatch_assets.demo.world import AuditAction, WorkspaceWorld

Json = dict[str, object]

DBUS_PER_HOUR = {
    "2X-Small": 4,
    "X-Small": 6,
    "Small": 12,
    "Medium": 24,
    "Large": 40,
    "X-Large": 80,
    "2X-Large": 144,
    "3X-Large": 272,
    "4X-Large": 528,
}
"""Of one cluster of a warehouse of that size."""

USD_PER_DBU = 0.22
BILLED = {"RUNNING", "SCALED_UP", "SCALED_DOWN"}

MODIFICATIONS = {
    "add",
    "addPrincipalToGroup",
    "removePrincipalFromGroup",
    "setAdmin",
    "updateUser",
    "delete",
}
ADMIN_OF_DATABRICKS = "dbadmin"
GOOD = 200


def estate_truth(world: WorkspaceWorld, since_ms: int, until_ms: int) -> Json:
    """Return the truth about a workspace as JSON-like values.

    Args:
        world: What happened.
        since_ms: Midnight that the world begins with.
        until_ms: Midnight that it ends with.
    """
    estate, actions = world.estate, world.actions
    midnights = range(since_ms + DAY_MS, until_ms + 1, DAY_MS)
    return {
        "warehouses": {
            each.warehouse_id: _warehouse(each, since_ms, until_ms) for each in estate.warehouses
        },
        "queries": {each.query_id: _query(each) for each in estate.queries},
        "query_costs": _query_costs(estate.warehouses, estate.queries, since_ms, until_ms),
        "logins": _counted(actions, _login_kind),
        "failed_logins": _counted(actions, _failed_login_kind),
        "account_modifications": _counted(actions, _modification),
        "people": _people(actions),
        "notebook_actions": _counted(actions, _notebook_action),
        "notebooks": {
            str(each.notebook_id): [
                {"since_ms": at_ms, "path": path, "name": path.rsplit("/", 1)[-1]}
                for at_ms, path in each.paths
                if at_ms < until_ms
            ]
            for each in estate.notebooks
            if each.paths[0][0] < until_ms
        },
        "notebook_commands": _commands(world, until_ms),
        "objects": {
            _day(midnight - DAY_MS): objects_at(estate.objects, estate.warehouses, midnight)
            for midnight in midnights
        },
        "audit_events": _counted(world.estate_actions, _service_and_action),
    }


def objects_at(
    objects: tuple[KeptObject, ...], warehouses: tuple[Warehouse, ...], now_ms: int
) -> dict[str, list[str]]:
    """The ids of what there was just before an instant, by kind."""
    found: dict[str, list[str]] = {kind.value: [] for kind in Kind}
    for each in objects:
        is_gone = each.gone_ms is not None and each.gone_ms < now_ms
        if each.versions[0].at_ms < now_ms and not is_gone:
            found[each.kind.value].append(each.object_id)
    found["warehouses"] = [
        each.warehouse_id
        for each in warehouses
        if each.created_ms < now_ms and not (each.deleted_ms and each.deleted_ms < now_ms)
    ]
    return {kind: sorted(ids) for kind, ids in found.items()}


def _warehouse(warehouse: Warehouse, since_ms: int, until_ms: int) -> Json:
    running: Counter[str] = Counter()
    dbu_ms: Counter[str] = Counter()
    for state in warehouse.states:
        if state.status.value in BILLED:
            for day, spent_ms in _by_day(state, since_ms, until_ms):
                running[day] += spent_ms
                dbu_ms[day] += spent_ms * state.clusters * DBUS_PER_HOUR[state.size]
    return {
        "name": warehouse.versions[-1].settings.name,
        "created_ms": warehouse.created_ms,
        "deleted_ms": warehouse.deleted_ms,
        "states": [
            {
                "state": state.status.value,
                "since_ms": state.since_ms,
                "until_ms": state.until_ms,
                "clusters": state.clusters,
                "size": state.size,
            }
            for state in warehouse.states
        ],
        "days": {
            day: {
                "running_hours": running[day] / HOUR_MS,
                "dbus": dbu_ms[day] / HOUR_MS,
                "cost_usd": dbu_ms[day] / HOUR_MS * USD_PER_DBU,
            }
            for day in running
        },
    }


def _by_day(state: WarehouseState, since_ms: int, until_ms: int) -> Iterator[tuple[str, int]]:
    """Cut an interval at each midnight: the days it touches, and the ms spent in each."""
    start = max(state.since_ms, since_ms)
    end = until_ms if state.until_ms is None else state.until_ms
    while start < end:
        midnight = start - start % DAY_MS + DAY_MS
        yield _day(start), min(end, midnight) - start
        start = midnight


def _query(query: SqlQuery) -> Json:
    waiting = "QUEUED" if query.running_ms is None else "RUNNING"
    return {
        "warehouse_id": query.warehouse_id,
        "user": query.user.email,
        "executed_as": query.run_as.email,
        "status": waiting if query.ending is None else query.ending.value,
        "start_ms": query.submitted_ms,
        "running_ms": query.running_ms,
        "execution_end_ms": query.ended_ms,
        "end_ms": query.fetched_ms,
    }


def _query_costs(
    warehouses: tuple[Warehouse, ...],
    queries: tuple[SqlQuery, ...],
    since_ms: int,
    until_ms: int,
) -> Json:
    """What queries bear of their warehouses, and what is idle, by day; amounts by query and user.

    Each moment is shared evenly by the queries that a cluster has taken and not yet executed.
    """
    busy_ms: Counter[tuple[str, str]] = Counter()
    usd: dict[tuple[str, str], float] = defaultdict(float)
    idle: dict[tuple[str, str], float] = defaultdict(float)
    users: dict[tuple[str, str, str], float] = defaultdict(float)
    for warehouse in warehouses:
        own = [each for each in queries if each.warehouse_id == warehouse.warehouse_id]
        for day, length_ms, cost, sharing in _moments(warehouse, own, since_ms, until_ms):
            for query in sharing:
                busy_ms[query.query_id, day] += length_ms
                usd[query.query_id, day] += cost / len(sharing)
                users[query.user.email, warehouse.warehouse_id, day] += cost / len(sharing)
            if not sharing:
                idle[warehouse.warehouse_id, day] += cost
    received: Counter[tuple[str, str, str]] = Counter()
    for each in queries:
        received[each.user.email, each.warehouse_id, _day(each.submitted_ms)] += 1
    return {
        "queries": [
            {
                "query_id": query_id,
                "day": day,
                "busy_s": spent / 1000,
                "cost_usd": usd[query_id, day],
            }
            for (query_id, day), spent in busy_ms.items()
        ],
        "idle": [
            {"warehouse_id": warehouse_id, "day": day, "cost_usd": cost}
            for (warehouse_id, day), cost in idle.items()
        ],
        "users": [
            {
                "user": user,
                "warehouse_id": warehouse_id,
                "day": day,
                "queries": received[user, warehouse_id, day],
                "cost_usd": users.get((user, warehouse_id, day), 0.0),
            }
            for user, warehouse_id, day in sorted(received.keys() | users.keys())
        ],
    }


def _moments(
    warehouse: Warehouse, queries: list[SqlQuery], since_ms: int, until_ms: int
) -> Iterator[tuple[str, int, float, list[SqlQuery]]]:
    """Stretches of a warehouse's billed time in which the same queries are executed.

    Each with its day, its length, what it costs and the queries.
    """
    spans = [
        (each.running_ms, until_ms if each.ended_ms is None else each.ended_ms, each)
        for each in queries
        if each.running_ms is not None
    ]
    for state in warehouse.states:
        if state.status.value not in BILLED:
            continue
        start = max(state.since_ms, since_ms)
        end = until_ms if state.until_ms is None else state.until_ms
        near = [span for span in spans if span[0] < end and span[1] > start]
        cuts = {start, end, *(at for span in near for at in span[:2])}
        cuts |= set(range(start - start % DAY_MS + DAY_MS, end, DAY_MS))
        within = sorted(at for at in cuts if start <= at <= end)
        hourly = state.clusters * DBUS_PER_HOUR[state.size] * USD_PER_DBU
        for begin, stop in pairwise(within):
            sharing = [query for since, until, query in near if since <= begin and stop <= until]
            yield _day(begin), stop - begin, hourly * (stop - begin) / HOUR_MS, sharing


def _commands(world: WorkspaceWorld, until_ms: int) -> Json:
    """Commands with what their notebooks were called when they ended, and what they cost."""
    commands, compute = world.estate.commands, world.compute
    costs = command_costs(commands, compute.lives(), compute.prices, until_ms)
    notebooks = {each.notebook_id: each for each in world.estate.notebooks}
    return {
        each.command_id: {
            **_command(each),
            "notebook_path": notebooks[each.notebook_id].path_at(each.ended_ms),
            "dbu_usd": costs.get(each.command_id),
        }
        for each in commands
    }


def _command(command: NotebookCommand) -> Json:
    return {
        "notebook_id": command.notebook_id,
        "user": command.user.email,
        "start_ms": command.started_ms,
        "end_ms": command.started_ms + command.duration_ms,
        "seconds": command.duration_ms / 1000,
        "status": command.status,
        "cluster_id": command.cluster_id,
    }


def _counted(
    actions: Iterable[AuditAction], kind_of: Callable[[AuditAction], str | None]
) -> dict[str, dict[str, int]]:
    """Count actions by day and kind; those without a kind count nowhere."""
    days: dict[str, Counter[str]] = defaultdict(Counter)
    for action in actions:
        kind = kind_of(action)
        if kind is not None:
            days[_day(action.at_ms)][kind] += 1
    return {day: dict(counts) for day, counts in days.items()}


def _login_kind(action: AuditAction) -> str | None:
    """`ssh`, or the action by which somebody came in; Databricks' own administrator aside."""
    if (action.service, action.action) == ("ssh", "login"):
        return "ssh"
    is_login = action.service == "accounts" and "login" in action.action.lower()
    return action.action if is_login and action.by != ADMIN_OF_DATABRICKS else None


def _failed_login_kind(action: AuditAction) -> str | None:
    return None if action.status == GOOD else _login_kind(action)


def _modification(action: AuditAction) -> str | None:
    is_modification = action.service == "accounts" and action.action in MODIFICATIONS
    return action.action if is_modification else None


def _people(actions: Iterable[AuditAction]) -> dict[str, str]:
    """Ids of users by their names, as far as any change of an account tells them."""
    told = (each.params or {} for each in actions if _modification(each))
    return {
        str(params["targetUserName"]): str(params["targetUserId"])
        for params in told
        if {"targetUserName", "targetUserId"} <= params.keys()
    }


def _notebook_action(action: AuditAction) -> str | None:
    """Of those that succeeded."""
    is_good = action.service == "notebook" and action.status == GOOD
    return action.action if is_good else None


def _service_and_action(action: AuditAction) -> str:
    return f"{action.service}.{action.action}"


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, tz=UTC).date().isoformat()
