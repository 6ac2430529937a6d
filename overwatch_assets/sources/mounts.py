"""Mount points of a workspace, and the storage that each stands for.

Clusters deliver logs to what they call `dbfs:/mnt/...`. Which storage that is the configuration
says, a file of mounts, or the workspace's API, which tells of at most 50.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, cast

from overwatch_assets.errors import ConfigError
from overwatch_assets.sources.files import Files
from overwatch_assets.sources.rest_api.api import ApiError, Json

SEARCH_MOUNTS = "/api/2.0/dbfs/search-mounts"
MOST_TOLD = 50
"""Mounts that the API tells at most; it has no further page."""

NAME_THEM = "Name those of log destinations in `mounts` or a `mount_mapping`"

COLUMNS = ("mountPoint", "source", "workspace_id")
LARGEST_FILE_BYTES = 10_000_000

_READABLE = re.compile(r"(?:s3|s3a|s3n|abfss|abfs|gs)://[^/]", re.IGNORECASE)
_PASSWORD = re.compile(r"(?<=://)[^/@]*:[^/@]*@")


class MountsApi(Protocol):
    """What is used of `Api`."""

    def get(self, path: str) -> Json: ...


@dataclass(frozen=True, slots=True)
class Mounts:
    """What is known of a workspace's mounts.

    Attributes:
        by_point: Mount point, without a slash at its end, to what it stands for.
        failures: Why some mounts may not be known, one sentence each.
    """

    by_point: Mapping[str, str] = field(default_factory=dict[str, str])
    failures: Sequence[str] = ()


def known_mounts(
    configured: Mapping[str, str], of_file: Mapping[str, str], api: MountsApi | None
) -> Mounts:
    """All mounts; of one that several name, the configured one counts, then the file's.

    That the API can't be asked is told among the failures.

    Args:
        configured: By mount point.
        of_file: By mount point.
        api: The workspace's API; None: it is not asked.
    """
    failures: tuple[str, ...] = ()
    told: Mapping[str, str] = {}
    if api is not None:
        try:
            told = mounts_of_api(api)
        except ApiError as error:
            failures = (f"mounts could not be asked for: {error}",)
    if len(told) >= MOST_TOLD and not of_file:
        failures = (f"the API tells of no more than {MOST_TOLD} mounts. {NAME_THEM}",)
    return Mounts(united(told, of_file, configured), failures)


def united(*mounts: Mapping[str, str]) -> dict[str, str]:
    """Mounts of several origins; of one that several name, the last one's counts."""
    return {mount_point(point): source for each in mounts for point, source in each.items()}


def mounts_of_api(api: MountsApi) -> dict[str, str]:
    """The mounts that the API tells, at most `MOST_TOLD`.

    Raises:
        ApiError: It can't be asked.
    """
    told = api.get(SEARCH_MOUNTS).get("mounts")
    found: dict[str, str] = {}
    for each in cast("list[object]", told) if isinstance(told, list) else []:
        mount = cast("Json", each) if isinstance(each, dict) else {}
        point, source = mount.get("mount_point"), mount.get("source")
        if isinstance(point, str) and isinstance(source, str) and mount_point(point):
            found[mount_point(point)] = _source(source, mount_point(point))
    return found


def mounts_of_file(files: Files, path: str, organization_id: str) -> dict[str, str]:
    """The mounts of a workspace in a CSV file with the columns `COLUMNS`.

    Raises:
        ConfigError: It is no such file, or a row of the workspace can't be used.
        SourceError: It can't be read.
    """
    content = b"".join(files.open(path))
    if len(content) > LARGEST_FILE_BYTES:
        raise ConfigError(f"{path}: a mount mapping has at most 10 MB; name another file")
    try:
        rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        names = {name.strip().casefold(): name for name in rows.fieldnames or ()}
        wanted = [names.get(name.casefold()) for name in COLUMNS]
        if None in wanted:
            raise ConfigError(
                f"{path}: a mount mapping has the columns {', '.join(COLUMNS)}; its first line "
                f"names {', '.join(names.values()) or 'none'}"
            )
        point, source, workspace = cast("list[str]", wanted)
        found: dict[str, str] = {}
        for row in rows:
            if (row[workspace] or "").strip() == organization_id:
                at = f"{path}, line {rows.line_num}"
                found |= _mount(at, (row[point] or "").strip(), (row[source] or "").strip())
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path}: is no CSV file in UTF-8 ({error}); save it as one") from None
    return found


def mount_point(text: str) -> str:
    """A mount point in its one spelling; empty: the root, which is no mount."""
    return text.strip().removeprefix("dbfs:").rstrip("/")


def _mount(at: str, point: str, source: str) -> dict[str, str]:
    name = mount_point(point)
    if not name.startswith("/"):
        raise ConfigError(f"{at}: the mount point must begin with /; write for example /mnt/logs")
    if not source:
        raise ConfigError(f"{at}: {name} has no source; write for example s3://bucket/path")
    return {name: source if source.startswith("/") else _source(source, name)}


def _source(source: str, point: str) -> str:
    """What a mount stands for, without a password; the mount itself where nothing here reads it."""
    text = source.strip()
    return _PASSWORD.sub("", text) if _READABLE.match(text) else f"dbfs:{point}"
