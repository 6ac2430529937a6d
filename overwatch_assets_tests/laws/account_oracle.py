"""What tables of people's doings must hold for a world: the rules again, event by event.

Written in plain Python over the audit events of the whole world in order of time, so that it
shares nothing with the transforms: no carried rows, no windows, no frames.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

Event = Mapping[str, object]


@dataclass(frozen=True)
class Command:
    """A command: when it ended, how long it took, where it ran, in what."""

    notebook_id: str
    command_id: str
    at: int
    lasted_ms: int | None
    cluster_id: str | None
    name: str | None
    path: str | None


Rows = set[tuple[object, ...]]

ORDER = {"createNotebook": 0, "deleteNotebook": 2}
CHANGES = {
    "add",
    "addPrincipalToGroup",
    "removePrincipalFromGroup",
    "setAdmin",
    "updateUser",
    "delete",
}
DAY = 86_400_000
LONGEST_S = 366 * 86_400


def names_of_notebooks(events: Sequence[Event]) -> Rows:
    """What each event leaves its notebook called: hash, request, name, path."""
    return {
        (event["hashKey"], event["requestId"], *called)
        for event, called in _notebook_events(events)
    }


def ids_of_users(events: Sequence[Event]) -> Rows:
    """Whom each change concerns: hash, request, name, id."""
    changed = [
        (event, said_by(event))
        for event in _distinct(events)
        if event["serviceName"] == "accounts" and event["actionName"] in CHANGES
    ]
    return {
        (
            event["hashKey"],
            event["requestId"],
            name,
            said.get("targetUserId") or _id_of(name, event, changed),
        )
        for event, said in changed
        for name in [said.get("targetUserName")]
    }


def _id_of(
    name: str | None, event: Event, changed: Sequence[tuple[Event, Mapping[str, str]]]
) -> str | None:
    """The id that a user's name has next on the day of an event, else had last."""
    at = _instant(event)
    end_of_day = at - at % DAY + DAY
    told = sorted(
        (_instant(other), cast("int", other["hashKey"]), said["targetUserId"])
        for other, said in changed
        if name is not None and said.get("targetUserName") == name and "targetUserId" in said
    )
    later = [user_id for other_at, _, user_id in told if at <= other_at < end_of_day]
    earlier = [user_id for other_at, _, user_id in told if other_at < at]
    return later[0] if later else earlier[-1] if earlier else None


def attempts_to_come_in(events: Sequence[Event]) -> Rows:
    """Logins: hash, request, kind, user named by the log, address."""
    found: Rows = set()
    for event in events:
        service, action = event["serviceName"], str(event["actionName"])
        identity = cast("Mapping[str, object]", event["userIdentity"])["email"]
        is_ssh = (service, action) == ("ssh", "login")
        if is_ssh or (
            service == "accounts" and "login" in action.lower() and identity != "dbadmin"
        ):
            kind = "ssh" if is_ssh else action
            found.add(
                (event["hashKey"], event["requestId"], kind, identity, event["sourceIPAddress"])
            )
    return found


def commands_told(events: Sequence[Event]) -> list[Command]:
    """Commands that are told at all, those told twice once, with what they are called."""
    called = _names_told(events)
    found: dict[tuple[str, str, int], Command] = {}
    for event in _distinct(events):
        said = said_by(event)
        is_command = (event["serviceName"], event["actionName"]) == ("notebook", "runCommand")
        if is_command and "notebookId" in said and "commandId" in said:
            at, notebook = _instant(event), said["notebookId"]
            names = tuple(_called_at(called.get(notebook, []), at, each) for each in (0, 1))
            key = (notebook, said["commandId"], at)
            found[key] = Command(*key, _milliseconds(said), said.get("clusterId"), *names)
    return list(found.values())


def dbu_cost(command: Command, states: Sequence[Mapping[str, Any]]) -> float | None:
    """What the cluster of a command cost while it ran, by states as a day knew them.

    None: not known.
    """
    if command.lasted_ms is None or command.cluster_id is None:
        return None
    costs: list[float | None] = []
    began, ended = command.at - command.lasted_ms, command.at
    for state in states:
        since = state["unixTimeMS_state_start"]
        until = state["unixTimeMS_state_end"] + (0 if state["is_open"] else 1)
        if state["cluster_id"] == command.cluster_id and until > since:
            if began == ended and since <= ended < until:
                costs.append(0.0)
            spent = min(until, ended) - max(since, began)
            if spent > 0:
                usd = state["total_DBU_cost"]
                costs.append(None if usd is None else usd * spent / (until - since))
    known = [each for each in costs if each is not None]
    return sum(known) if costs and len(known) == len(costs) else None


def _milliseconds(said: Mapping[str, str]) -> int | None:
    try:
        seconds = float(said["executionTime"])
    except (KeyError, ValueError):
        return None
    return round(seconds * 1000) if 0 <= seconds <= LONGEST_S else None


def _names_told(events: Sequence[Event]) -> dict[str, list[tuple[int, tuple[str | None, ...]]]]:
    """By notebook what it was called after each of its events, in order."""
    told: dict[str, list[tuple[int, tuple[str | None, ...]]]] = {}
    for event, names in _notebook_events(events):
        notebook = said_by(event).get("notebookId")
        if notebook is not None:
            told.setdefault(notebook, []).append((_instant(event), names))
    return told


def _called_at(
    told: Sequence[tuple[int, tuple[str | None, ...]]], at: int, which: int
) -> str | None:
    """The last name before an instant, else the first one since on its day."""
    named = [(each, names[which]) for each, names in told if names[which] is not None]
    before = [name for each, name in named if each < at]
    since = [name for each, name in named if at <= each < at - at % DAY + DAY]
    return before[-1] if before else since[0] if since else None


def _notebook_events(events: Sequence[Event]) -> Iterator[tuple[Event, tuple[str | None, ...]]]:
    """Events that were carried out, in order, with the name and path of the notebook after each."""
    called: dict[str, tuple[str | None, str | None]] = {}
    done = [event for event in _distinct(events) if event["serviceName"] == "notebook"]
    for event in sorted((event for event in done if _status(event) == 200), key=_in_order):
        said = said_by(event)
        told = _told_name(said), _told_path(said)
        notebook = said.get("notebookId")
        if notebook is None:
            yield event, told
            continue
        before = called.get(notebook, (None, None))
        called[notebook] = told[0] or before[0], told[1] or before[1]
        yield event, called[notebook]


def _told_name(said: Mapping[str, str]) -> str | None:
    told = said.get("newName") or said.get("notebookName")
    if told is not None:
        return told
    place = said.get("newPath") or said.get("path")
    return None if place is None else place.split("/")[-1]


def _told_path(said: Mapping[str, str]) -> str | None:
    if "newPath" in said:
        return said["newPath"]
    if "parentPath" in said and "newName" in said:
        return f"{said['parentPath']}/{said['newName']}"
    return said.get("path")


def _in_order(event: Event) -> tuple[object, ...]:
    rank = ORDER.get(str(event["actionName"]), 1)
    return _instant(event), rank, event["requestId"] or "", event["hashKey"]


def _distinct(events: Sequence[Event]) -> list[Event]:
    keys = ("timestamp", "serviceName", "actionName", "requestId", "hashKey")
    return list({tuple(event[key] for key in keys): event for event in events}.values())


def said_by(event: Event) -> Mapping[str, str]:
    """Parameters of an event."""
    text = event["requestParams"]
    return json.loads(text) if isinstance(text, str) else {}


def _instant(event: Event) -> int:
    return cast("int", event["timestamp"])


def _status(event: Event) -> object:
    return cast("Mapping[str, object]", event["response"])["statusCode"]
