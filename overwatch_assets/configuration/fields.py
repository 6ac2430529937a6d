"""Types of single values: how text becomes a day, a scope, a location, a reference.

A validator's message never repeats the value; whether it may be shown is decided where the
message is put together (`reading.py`).
"""

import os
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from overwatch_assets.configuration.days import EARLIEST_DAY
from overwatch_assets.configuration.problems import nearest, refusal
from overwatch_assets.module import Scope
from overwatch_assets.secrets import (
    FORMS,
    REFERENCE,
    SecretReference,
    file_problem,
    looks_secret,
)

LONGEST_NAME = 128


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a value is checked against besides itself.

    Attributes:
        folder: Folder of the configuration file; relative paths begin there.
        today: Today in the configured time zone.
        secrets_directory: The only folder whose files hold secrets; None: no file does.
    """

    folder: Path
    today: date
    secrets_directory: Path | None


def surroundings(info: ValidationInfo) -> Surroundings:
    """The context that every validation is given."""
    if not isinstance(info.context, Surroundings):
        message = "a configuration is validated with its Surroundings as context"
        raise TypeError(message)
    return info.context


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise refusal("must be text", "Write one line of text")
    text = value.strip()
    if not text:
        raise refusal("is empty", "Write a value, or leave the key out")
    if not text.isprintable():
        raise refusal("holds a character that is not printable", "Remove it")
    return text


Text = Annotated[str, BeforeValidator(_text), Field(min_length=1)]


def _workspace_id(value: object) -> str:
    text = _text(value)
    if re.fullmatch(r"\d+[.,]\d*|\d+([.,]\d+)?[eE][+-]?\d+", text):
        raise refusal(
            "is a rounded number; a spreadsheet has taken digits from the id",
            "Copy the number after o= in the workspace's URL again, in quotes",
        )
    if text == "0":
        raise refusal(
            "is where account-level events are delivered, not a workspace",
            "Write the number after o= in the workspace's URL, in quotes",
        )
    if len(text) > LONGEST_NAME or "..." in text or set(text) & set("|,[]"):
        raise refusal(
            f"can't name a partition: at most {LONGEST_NAME} characters, without ... | , [ ]",
            "Write the number after o= in the workspace's URL, in quotes",
        )
    return text


WorkspaceId = Annotated[
    str, BeforeValidator(_workspace_id), WithJsonSchema({"type": ["string", "integer"]})
]


def _name(value: object) -> str:
    text = _text(value)
    if len(text) > LONGEST_NAME:
        raise refusal(f"is longer than {LONGEST_NAME} characters", "Write a shorter name")
    return text


Name = Annotated[str, BeforeValidator(_name), Field(min_length=1, max_length=LONGEST_NAME)]


def time_zone_problem(name: str) -> str | None:
    """What to write instead of a time zone that isn't one; None: it is."""
    known = available_timezones() - {"Factory", "localtime"}
    if name in known:
        return None
    meant = nearest(name, sorted(known))
    return f"Did you mean {meant}?" if meant else "Write an IANA name such as Europe/Berlin"


def _time_zone(value: object) -> str:
    text = _text(value)
    if remedy := time_zone_problem(text):
        raise refusal("is no IANA time zone", remedy)
    return ZoneInfo(text).key


TimeZone = Annotated[str, BeforeValidator(_time_zone)]


def _day(value: object) -> date:
    text = _text(value)
    written = text if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else ""
    try:
        day = date.fromisoformat(written)
    except ValueError:
        raise refusal("is no day of the calendar", "Write it as YYYY-MM-DD") from None
    if day < EARLIEST_DAY:
        remedy = f"Write a day from {EARLIEST_DAY} on"
        raise refusal("lies before anything that could be loaded", remedy)
    return day


Day = Annotated[date, BeforeValidator(_day)]


def _begun_day(value: object, info: ValidationInfo) -> date:
    day = _day(value)
    today = surroundings(info).today
    if day > today:
        remedy = "Write the first day to load, today or earlier"
        raise refusal(f"lies in the future; today is {today}", remedy)
    return day


BegunDay = Annotated[date, BeforeValidator(_begun_day)]


def _scope(value: object) -> Scope:
    by_folded = {scope.value.casefold(): scope for scope in Scope}
    text = value.strip().casefold() if isinstance(value, str) else ""
    if scope := by_folded.get(text):
        return scope
    known = [scope.value for scope in Scope]
    meant = nearest(text, known)
    remedy = f"Did you mean {meant}?" if meant else f"Scopes are {', '.join(known)}"
    raise refusal("is no scope", remedy)


ScopeName = Annotated[Scope, BeforeValidator(_scope)]


def local_path(text: str, folder: Path) -> Path | None:
    """A path, absolute; a relative one begins in the folder. None: the text can't be one."""
    try:
        path = folder / Path(text).expanduser()
    except RuntimeError:
        return None
    return Path(os.path.abspath(path)) if text.isprintable() else None  # noqa: PTH100  `resolve` would follow links


def _no_path() -> PydanticCustomError:
    return refusal("names the home of an unknown user", "Write the path in full")


def _path(value: object, info: ValidationInfo) -> Path:
    text = str(value) if isinstance(value, Path) else _text(value)
    if "://" in text:
        raise refusal("must be a local folder, not a URL", "Write a path")
    path = local_path(text, surroundings(info).folder)
    if path is None:
        raise _no_path()
    return path


LocalPath = Annotated[Path, BeforeValidator(_path)]

WORKSPACE_FOLDERS = ("dbfs:/", "/Volumes/")
"""How paths begin that lie in a workspace; a local folder of that name is a file:// URL."""

_SCHEMES = {"s3a": "s3", "s3n": "s3", "abfs": "abfss"}


def scheme_of(location: str) -> str:
    """Scheme of a URL in its one spelling; empty: it is a path."""
    scheme, separator, _ = location.partition("://")
    return _SCHEMES.get(scheme.lower(), scheme.lower()) if separator else ""


def _location(value: object, info: ValidationInfo) -> str:
    text = _text(value)
    if looks_secret(text):
        what = "holds a password, key or signature"
        raise refusal(what, f"Write the address without it, and options that refer to it: {FORMS}")
    scheme = scheme_of(text)
    if text.lower().startswith("dbfs:/") or text.startswith("/Volumes/"):
        return _in_workspace(text)
    if scheme in {"", "file"}:
        path = unquote(text.partition("://")[2]) if scheme else text
        local = local_path(path, surroundings(info).folder)
        if local is None:
            raise _no_path()
        is_ambiguous = str(local).startswith(WORKSPACE_FOLDERS)
        return f"file://{local}" if is_ambiguous else str(local)
    if scheme in {"wasb", "wasbs"}:
        remedy = "Write abfss://container@account.dfs.core.windows.net/path"
        raise refusal("is a wasb address, which nothing here reads", remedy)
    rest = text.partition("://")[2].rstrip("/")
    if not re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme) or not rest or ".." in rest.split("/"):
        raise refusal("is neither a path nor a URL", "Write for example s3://bucket/path")
    return f"{scheme}://{rest}"


def _in_workspace(text: str) -> str:
    folder = re.sub(r"(?i)^dbfs:/+", "/", text).rstrip("/")
    if ".." in folder.split("/"):
        raise refusal("leaves its own folder", "Write the path in full")
    if not folder.startswith("/Volumes/"):
        return f"dbfs:{folder or '/'}"
    if not re.match(r"/Volumes(/[^/]+){3}(/|$)", folder):
        raise refusal("names no volume", "Write /Volumes/catalog/schema/volume/path")
    return folder


Location = Annotated[str, BeforeValidator(_location)]


def _reference(text: str, info: ValidationInfo) -> SecretReference:
    reference = SecretReference(text)
    directory = surroundings(info).secrets_directory
    if reference.file and (misplaced := file_problem(directory, reference.file)):
        raise refusal(*misplaced)
    return reference


def _secret(value: object, info: ValidationInfo) -> SecretReference:
    if not isinstance(value, str) or not SecretReference.is_reference(value):
        what = "must not be written here, only referred to"
        raise refusal(what, f"Put the secret elsewhere and write {FORMS}")
    return _reference(value, info)


def _setting(value: object, info: ValidationInfo) -> str | SecretReference:
    text = _text(value)
    if SecretReference.is_reference(text):
        return _reference(text, info)
    if looks_secret(text):
        what = "looks like a secret, which must not be written here"
        raise refusal(what, f"Put it elsewhere and write {FORMS}")
    return text


Secret = Annotated[
    SecretReference,
    PlainValidator(_secret),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{REFERENCE}$"}),
]
"""Only ever a reference."""

Setting = Annotated[
    str | SecretReference,
    PlainValidator(_setting),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string"}),
]
"""A text, or a reference to one."""
