"""Whether the configuration's references to secrets lead somewhere."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from pydantic import BaseModel

from overwatch_assets.config import Config, Workspace
from overwatch_assets.errors import ConfigError, SourceError
from overwatch_assets.operations.validation.findings import Check, Finding
from overwatch_assets.secrets import SecretReference, Secrets
from overwatch_assets.workspace_api import scope_reader

RULE = "Secrets_Resolvable"
_REMEDY = "Put each secret where its reference says, for the user that runs this"


@dataclass(frozen=True, slots=True)
class Resolved:
    """What came of following references.

    Attributes:
        finding: The check.
        known: The secrets, which nothing may show.
    """

    finding: Finding
    known: frozenset[str]


def deployment_secrets(config: Config) -> Resolved:
    """Follow the references of the tables' storage, and that of redaction's key."""
    secrets = config.secrets(scope_reader(config))
    found = (*references(config.storage), *references(config.redaction))
    return _resolved(secrets, "", found)


def workspace_secrets(config: Config, workspace: Workspace) -> Resolved:
    """Follow the references of a workspace."""
    parts = (workspace.databricks, workspace.audit_logs, *workspace.source_storage)
    found = (each for part in parts if part is not None for each in references(part))
    secrets = config.secrets(scope_reader(config, workspace))
    return _resolved(secrets, workspace.organization_id, found)


def references(value: object) -> Iterator[SecretReference]:
    """Every reference in a part of the configuration."""
    match value:
        case SecretReference():
            yield value
        case BaseModel():
            for _, each in value:
                yield from references(each)
        case tuple():
            for each in cast("tuple[object, ...]", value):
                yield from references(each)
        case dict():
            for each in cast("Mapping[object, object]", value).values():
                yield from references(each)
        case _:
            return


def _resolved(secrets: Secrets, workspace: str, found: Iterable[SecretReference]) -> Resolved:
    known: set[str] = set()
    wrong: list[str] = []
    names = list(dict.fromkeys(found))
    for each in names:
        try:
            known.add(secrets.resolve(each).get_secret_value())
        except (ConfigError, SourceError) as error:
            wrong.append(str(error))
    check = Check(RULE, workspace, f"follow {len(names)} references to secrets")
    if wrong:
        return Resolved(check.error("; ".join(wrong), _REMEDY), frozenset(known))
    told = ", ".join(map(str, names)) or "none is written: environment and machine tell who asks"
    return Resolved(check.ok(told), frozenset(known))
