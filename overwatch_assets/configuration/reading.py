"""From a file to a checked model: everything that is wrong with it, told at once."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import get_args
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from overwatch_assets.configuration.document import Document
from overwatch_assets.configuration.fields import (
    Surroundings,
    local_path,
    time_zone_problem,
)
from overwatch_assets.configuration.model import ConfigFile
from overwatch_assets.configuration.problems import (
    OWN_PROBLEM,
    KeyPath,
    Problem,
    config_error,
    nearest,
)
from overwatch_assets.configuration.storage import OPTIONS, Storage, provider_of
from overwatch_assets.secrets import is_secret_name, looks_secret

_OF_OVERWATCH = {
    "etl_storage_prefix": "storage.root",
    "storage_prefix": "storage.root",
    "auditlogprefix_source_aws": "audit_logs.path",
    "auditlogprefix_source_path": "audit_logs.path",
    "api_url": "databricks.host",
    "workspace_url": "databricks.host",
    "secret_key_dbpat": "databricks.token",
    "thread_pool_size": "databricks.parallel_requests",
    "api_waiting_time": "databricks.retry_seconds",
    "mount_mapping_path": "spark_event_logs.mount_mapping",
    "sql_endpoint": "audit_logs.sql_warehouse",
}
"""Columns of Overwatch's deployment CSV, and the keys that they have become."""

_MUST_BE = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "finite_number": "must be a number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "dict_type": "must be a mapping of keys to values",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number",
    "int_type": "must be a whole number",
    "model_type": "must be a mapping of keys to values",
    "tuple_type": "must be a list",
}
_LONGEST_VALUE = 60


def checked(document: Document, now: datetime) -> ConfigFile:
    """Check a document against the model.

    Args:
        document: The file's content.
        now: Present time, aware; no first day lies after its day.

    Raises:
        ConfigError: With every problem found.
    """
    problems = [*document.problems, *_repeated_workspaces(document)]
    model = None
    try:
        model = ConfigFile.model_validate(document.values, context=_surroundings(document, now))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        of_model = [_problem(each, document) for each in found]
        known = {problem.key for problem in document.problems}
        problems += [each for each in of_model if not _prefixes(each.key) & known]
    if model is None or problems:
        raise config_error(document.path, problems)
    return model


def _prefixes(key: KeyPath) -> set[KeyPath]:
    return {key[:length] for length in range(len(key) + 1)}


def _surroundings(document: Document, now: datetime) -> Surroundings:
    folder = document.path.absolute().parent
    zone, secrets = document.text_at(("timezone",)), document.text_at(("secrets_directory",))
    is_zone = zone is not None and time_zone_problem(zone) is None
    return Surroundings(
        folder=folder,
        today=now.astimezone(ZoneInfo(zone) if zone and is_zone else UTC).date(),
        secrets_directory=local_path(secrets, folder) if secrets else None,
    )


def _repeated_workspaces(document: Document) -> Iterator[Problem]:
    """Ids and names that do not tell workspaces apart, also when other values are wrong."""
    entries = document.value_at(("workspaces",))
    seen: dict[str, tuple[str, int]] = {}
    for index in range(len(entries) if isinstance(entries, list) else 0):
        for name in ("workspace_id", "workspace_name"):
            text = document.text_at(("workspaces", index, name))
            if not text:
                continue
            other, owner = seen.setdefault(text.casefold(), (name, index))
            if owner != index:
                key = ("workspaces", index, name)
                what = f"is the {other} of workspaces[{owner}] already"
                remedy = "Ids and names must differ; capital letters do not count"
                yield _told(document, key, what, remedy, shown=True)


def _problem(error: ErrorDetails, document: Document) -> Problem:
    key: KeyPath = error["loc"]
    kind, context = error["type"], error.get("ctx", {})
    field = _field(key, document)
    match kind:
        case "missing":
            about = field.description if field and field.description else ""
            return _told(document, key, "is missing", f"{_example(key, field)}. {about}")
        case "extra_forbidden":
            return _told(document, key, "is no key here", _known_keys(key, document))
        case "literal_error" | "enum":
            expected = str(context["expected"])
            what, remedy = f"must be {expected}", _nearest_of(expected, key, document)
        case "greater_than_equal" | "less_than_equal":
            least, most = context.get("ge"), context.get("le")
            what = f"must be at least {least}" if most is None else f"must be at most {most}"
            remedy = _example(key, field)
        case _ if kind == OWN_PROBLEM:
            what, remedy = str(context["what"]), str(context["remedy"])
        case _:
            what = _MUST_BE.get(kind, f"can't be used: {error['msg']}")
            remedy = _example(key, field)
    return _told(document, key, what, remedy, shown=True)


def _told(
    document: Document, key: KeyPath, what: str, remedy: str, *, shown: bool = False
) -> Problem:
    end = "" if remedy.endswith(("?", ".")) else "."
    value = _shown(key, document) if shown else ""
    return Problem(key, document.line_of(key), what, f"{remedy}{end}", value)


def _shown(key: KeyPath, document: Document) -> str:
    """The value as a message may show it; empty where it could be a secret."""
    value = document.value_at(key)
    names = [part for part in key if isinstance(part, str)]
    if not isinstance(value, str) or looks_secret(value) or any(map(is_secret_name, names)):
        return ""
    cut = value if len(value) <= _LONGEST_VALUE else f"{value[:_LONGEST_VALUE]}..."
    return repr(cut)


def _known_keys(key: KeyPath, document: Document) -> str:
    model = _model(key[:-1], document)
    known = list(model.model_fields) if model else []
    if now := _OF_OVERWATCH.get(str(key[-1]).casefold()):
        made = "`overwatch config import` makes a configuration of a whole deployment CSV"
        return f"It is a column of Overwatch's: write it as {now}; {made}"
    meant = nearest(str(key[-1]), known)
    if meant:
        return f"Did you mean {meant}?"
    return f"Keys here: {', '.join(known)}" if known else "A local folder has no options; remove it"


def _nearest_of(expected: str, key: KeyPath, document: Document) -> str:
    known = [each.strip(" '") for each in expected.replace(" or ", ",").split(",")]
    value = document.text_at(key)
    meant = nearest(value, known) if value else None
    return f"Did you mean {meant}?" if meant else f"Write {expected}"


def _example(key: KeyPath, field: FieldInfo | None) -> str:
    if field is None or not field.examples:
        return "See docs/configuration.md"
    names = [part for part in key if isinstance(part, str)]
    return f"Write for example `{names[-1]}: {example_text(field.examples[0])}`"


def example_text(value: object) -> str:
    """A value as the file would hold it."""
    match value:
        case bool():
            return str(value).lower()
        case list() | dict():
            flow = yaml.dump(value, default_flow_style=True, sort_keys=False, width=2**31)
            return flow.strip()
        case _:
            return str(value)


def _field(key: KeyPath, document: Document) -> FieldInfo | None:
    """The field that a key belongs to; for keys of a free mapping, the mapping's."""
    names = [index for index, part in enumerate(key) if isinstance(part, str)]
    for index in reversed(names):
        model = _model(key[:index], document)
        if model and (field := model.model_fields.get(str(key[index]))):
            return field
    return None


def _model(key: KeyPath, document: Document) -> type[BaseModel] | None:
    """The model of the mapping that a key leads to; None: it is a free one."""
    model: type[BaseModel] | None = ConfigFile
    for index, part in enumerate(key):
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part) if model else None
        if model is Storage and part == "options":
            root = document.text_at((*key[:index], "root"))
            provider = provider_of(root) if root else None
            model = OPTIONS[provider] if provider else None
        else:
            model = next(models_of(field.annotation), None) if field else None
    return model


def models_of(annotation: object) -> Iterator[type[BaseModel]]:
    """The models that an annotation speaks of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from models_of(part)
