"""What tables of people's doings must hold for a world: the rules again, event by event.

Written in plain Python over the audit events of the whole world in order of time, so that it
shares nothing with the transforms: no carried rows, no windows, no frames.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

Event = Mapping[str, object]
Rows = set[tuple[object, ...]]

ORDER = {"createNotebook": 0, "deleteNotebook": 2}


def names_of_notebooks(events: Sequence[Event]) -> Rows:
    """What each event leaves its notebook called: hash, request, name, path."""
    return {
        (event["hashKey"], event["requestId"], *called)
        for event, called in _notebook_events(events)
    }


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
    return event["timestamp"], rank, event["requestId"] or "", event["hashKey"]


def _distinct(events: Sequence[Event]) -> list[Event]:
    keys = ("timestamp", "serviceName", "actionName", "requestId", "hashKey")
    return list({tuple(event[key] for key in keys): event for event in events}.values())


def said_by(event: Event) -> Mapping[str, str]:
    """Parameters of an event."""
    text = event["requestParams"]
    return json.loads(text) if isinstance(text, str) else {}


def _status(event: Event) -> object:
    return cast("Mapping[str, object]", event["response"])["statusCode"]
