"""Definitions of jobs, replayed: what each change left a job to be.

A definition is what `create` or `reset` said, with each `update` since laid over it. The Jobs API
merges `tasks` and `job_clusters` by their keys and replaces every other setting as a whole. Where
the beginning is not known, because a job is older than the audit log or an event was cut short,
captures tell what was missed: they fill what is null and never replace what an event said.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import msgspec

from overwatch_assets.expressions.job_structs import LEGACY_WORK

Json = Mapping[str, object]

IMPUTED = "snapImpute"
"""Action of a version that a capture told, and no event."""

RANKS = {"create": 0, "reset": 1, "update": 2, "changeJobAcl": 3, "resetJobAcl": 3, "delete": 4}
"""The order of what happens to a job within a millisecond."""

MERGED = {"tasks": "task_key", "job_clusters": "job_cluster_key"}
"""Settings that an update merges, and the key of their elements."""

NESTED = frozenset(
    {
        *MERGED,
        *LEGACY_WORK,
        "tags",
        "schedule",
        "email_notifications",
        "new_cluster",
        "libraries",
        "git_source",
    }
)
SETTINGS = (
    "name",
    "existing_cluster_id",
    "max_concurrent_runs",
    "max_retries",
    "timeout_seconds",
    "retry_on_timeout",
    "min_retry_interval_millis",
    *sorted(NESTED),
)
"""Settings of a definition: what a reset replaces."""

ABOUT = ("job_type", "format", "is_from_dlt", "run_as_user_name", "access_control_list")
"""What else is told of a job: a reset that does not name it leaves it as it was."""

FILLED_LATER = ("job_type", "format", "run_as_user_name", "created_by", "created_ts")
"""What an event takes from a capture after it, because no event can have removed it."""

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder(order="sorted").encode


class Unreadable(ValueError):
    """Parameters that were cut short, or are no JSON."""


@dataclass(frozen=True, slots=True)
class Change:
    """An event that concerns a job.

    Attributes:
        row: Its columns as the audit log has them.
        params: Its request parameters.
    """

    action: str
    at_ms: int
    row: Json
    params: Mapping[str, str]

    @property
    def by(self) -> str | None:
        """Who did it."""
        return cast("str | None", self.row["email"])


@dataclass(frozen=True, slots=True)
class Capture:
    """A job as the API showed it.

    Attributes:
        is_closing: It is the first one after the day, and not of the day.
    """

    at_ms: int
    settings: Json
    about: Json
    is_closing: bool


@dataclass(frozen=True, slots=True)
class Definition:
    """What is known of a job after something happened to it.

    Attributes:
        settings: By name; what is not there is not set, or not known.
        is_complete: What is not there is not set.
        about: What else is known, by column.
        is_deleted: The job is gone; whatever comes then is of a new one.
    """

    settings: Json = field(default_factory=dict[str, object])
    is_complete: bool = False
    about: Json = field(default_factory=dict[str, object])
    is_deleted: bool = False

    @property
    def text(self) -> str:
        """The settings as JSON text."""
        return _encode(self.settings).decode()

    def filled(self, capture: Capture) -> "Definition":
        """The definition with what it lacks taken from a capture."""
        return replace(
            self,
            settings={**capture.settings, **self.settings},
            is_complete=True,
            about={**capture.about, **self.about},
        )

    def completed(self, capture: Capture | None) -> "Definition":
        """The definition of an event with what a capture after it tells of the job for sure."""
        if capture is None:
            return self
        late = {name: each for name, each in capture.about.items() if name in FILLED_LATER}
        named = {"name": capture.settings["name"]} if "name" in capture.settings else {}
        return replace(self, about={**late, **self.about}, settings={**named, **self.settings})


@dataclass(frozen=True, slots=True)
class Version:
    """A definition and what made it so.

    Attributes:
        change: The event; None: a capture.
        is_unreadable: The event's parameters could not be read.
    """

    at_ms: int
    definition: Definition
    change: Change | None = None
    is_unreadable: bool = False


def replayed(
    before: Definition | None,
    changes: Sequence[Change],
    captures: Sequence[Capture],
    imputed_at_ms: int | None,
) -> Iterator[Version]:
    """Versions of a job on a day, in the order of time.

    Args:
        before: What it was when the day began; None: it was not known.
        changes: The day's events, in their order.
        captures: Captures of the day in their order, then the closing one.
        imputed_at_ms: When a job that only the closing capture knows began to be; None: it is not
            for the day to say.
    """
    known = before
    closing = next((each for each in captures if each.is_closing), None)
    of_day = [each for each in captures if not each.is_closing]
    is_seen = any(each.at_ms == imputed_at_ms for each in of_day)
    if known is None and closing is not None and imputed_at_ms is not None and not is_seen:
        known = Definition().filled(closing)
        yield Version(imputed_at_ms, known)
    happenings: list[Change | Capture] = [*of_day, *changes]
    # The sort is stable: a capture comes before the events of its millisecond.
    for each in sorted(happenings, key=lambda each: each.at_ms):
        if isinstance(each, Capture):
            version = _captured(known, each)
        else:
            later = next((found for found in of_day if found.at_ms > each.at_ms), closing)
            version = _changed(known, each, later)
        if version is not None:
            known = version.definition
            yield version


def _captured(known: Definition | None, capture: Capture) -> Version | None:
    """The version that a capture makes, if it tells anything that was not known."""
    if known is None:
        return Version(capture.at_ms, Definition().filled(capture))
    filled = known.filled(capture)
    return None if known.is_deleted or filled == known else Version(capture.at_ms, filled)


def _changed(known: Definition | None, change: Change, later: Capture | None) -> Version:
    """The version that an event makes.

    Args:
        known: What the job was before.
        change: The event.
        later: The next capture of it, which tells what a job was of which nothing is known.
    """
    base = Definition() if known is None or known.is_deleted else known
    if known is None and later is not None and change.action not in {"create", "reset"}:
        base = base.filled(later)
    is_unreadable = False
    try:
        settings, is_complete = _settings_after(base, change)
        definition = replace(base, settings=settings, is_complete=is_complete)
    except Unreadable:
        is_unreadable = True
        unknown = replace(base, settings={}, is_complete=False)
        definition = unknown if later is None else unknown.filled(later)
    definition = replace(
        definition,
        about=_about_after(base, change),
        is_deleted=change.action == "delete",
    )
    return Version(change.at_ms, definition.completed(later), change, is_unreadable)


def _settings_after(base: Definition, change: Change) -> tuple[Json, bool]:
    params = change.params
    match change.action:
        case "create":
            return _settings_in(params), True
        case "reset":
            return _settings_in(_object(params.get("new_settings"))), True
        case "update":
            new = _settings_in(_object(params.get("new_settings")))
            removed = _list(params.get("fields_to_remove"))
            return _without(_merged(base.settings, new), map(str, removed)), base.is_complete
        case _:
            return base.settings, base.is_complete


def _about_after(base: Definition, change: Change) -> Json:
    """What is known beside the settings: a create inherits nothing, any other event all."""
    about = {} if change.action == "create" else dict(base.about)
    told: dict[str, object] = {name: change.params.get(name) for name in ABOUT}
    if change.action in {"reset", "update"}:
        new = _readable_object(change.params.get("new_settings"))
        told |= {name: new[name] for name in ("format",) if name in new}
    told["access_control_list"] = listed(change.params.get("access_control_list"))
    about |= {name: value for name, value in told.items() if value}
    by: Json = {"last_edited_by": change.by, "last_edited_ts": change.at_ms}
    match change.action:
        case "create":
            about |= {"created_by": change.by, "created_ts": change.at_ms, **by}
        case "reset" | "update":
            about |= by
        case _:
            pass
    return {name: value for name, value in about.items() if value is not None}


def captured_settings(text: str) -> Json:
    """The settings of a captured job from their JSON text; null and empty ones are not set."""
    return {
        name: kept
        for name, value in _object(text).items()
        if name in SETTINGS and (kept := _without_nulls(value)) not in (None, {}, [])
    }


def settings_in_text(text: str | None) -> Json:
    """Settings from a definition's own text."""
    return {} if text is None else cast("Json", _decode(text))


def parameters(text: str | None) -> Mapping[str, str]:
    """Request parameters: bronze writes them as an object of texts."""
    return {} if text is None else cast("Mapping[str, str]", _decode(text))


def listed(text: str | None) -> list[object] | None:
    """A list from its JSON text; None: it is empty or no list."""
    try:
        return _list(text) or None
    except Unreadable:
        return None


def setting(name: str, value: object) -> object:
    """A setting's value: nested ones may come as JSON text.

    Raises:
        Unreadable: It should be an object or a list and is not.
    """
    if name not in NESTED:
        return value
    found = value
    if isinstance(value, str):
        try:
            found = _decode(value)
        except msgspec.DecodeError as error:
            raise Unreadable(name) from error
    if not isinstance(found, dict | list):
        raise Unreadable(name)
    return cast("object", found)


def _settings_in(told: Json) -> Json:
    if "TRUNCATED" in told:
        raise Unreadable
    return {name: setting(name, told[name]) for name in SETTINGS if told.get(name) is not None}


def _merged(settings: Json, new: Json) -> Json:
    merged = {**settings, **new}
    for name, key in MERGED.items():
        if name in settings and name in new:
            merged[name] = list(
                {
                    **_by_key(settings[name], key),
                    **_by_key(new[name], key),
                }.values()
            )
    return merged


def _by_key(elements: object, key: str) -> Mapping[object, object]:
    """Elements by their key, in their order."""
    found = cast("list[object]", elements)
    objects = [cast("Json", each) for each in found if isinstance(each, dict)]
    return {each.get(key): each for each in objects}


def _without(settings: Json, removed: Iterable[str]) -> Json:
    """Settings without the removed fields; `tasks/x` is one element."""
    kept = dict(settings)
    for field_name in removed:
        name, _, element = field_name.partition("/")
        if not element:
            kept.pop(name, None)
        elif name in MERGED and name in kept:
            by_key = _by_key(kept[name], MERGED[name])
            kept[name] = [each for key, each in by_key.items() if key != element]
    return kept


def _object(text: str | None) -> Json:
    """A JSON object from its text; none is an empty one.

    Raises:
        Unreadable: The text is no object.
    """
    if text is None:
        return {}
    try:
        found = _decode(text)
    except msgspec.DecodeError as error:
        raise Unreadable from error
    if not isinstance(found, dict):
        raise Unreadable
    return cast("Json", found)


def _list(text: str | None) -> list[object]:
    if text is None:
        return []
    try:
        found = _decode(text)
    except msgspec.DecodeError as error:
        raise Unreadable from error
    if not isinstance(found, list):
        raise Unreadable
    return cast("list[object]", found)


def _readable_object(text: str | None) -> Json:
    try:
        return _object(text)
    except Unreadable:
        return {}


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        entries = cast("dict[str, object]", value).items()
        return {key: _without_nulls(each) for key, each in entries if each is not None}
    if isinstance(value, list):
        return [_without_nulls(each) for each in cast("list[object]", value)]
    return value
