"""Whether Spark event logs can be read: folders, log destinations of clusters, mounts."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import polars as pl

from overwatch_assets.config import Workspace
from overwatch_assets.configuration.model import SparkEventLogs
from overwatch_assets.errors import ConfigError, OverwatchError, SourceError
from overwatch_assets.operations.validation.findings import Check, Finding
from overwatch_assets.sources.cluster_log_destinations import readable
from overwatch_assets.sources.files import Files
from overwatch_assets.sources.mounts import (
    MOST_TOLD,
    NAME_THEM,
    mounts_of_api,
    mounts_of_file,
    united,
)
from overwatch_assets.sources.rest_api.api import Api, ApiError
from overwatch_assets.sources.spark_event_logs.layout import is_log

FOLDERS, MOUNTS, DESTINATIONS = "EventLog_Folders", "Validate_Mount", "EventLog_Destinations"
MOST_LOOKED_AT = 10_000
"""Files that are listed in search of an event log."""

THREADS = 8
SHOWN = 10
_MOUNT = "dbfs:/mnt/"
_PERMIT = "Give the identity list and read on it, in `source_storage` or through the machine"


@dataclass(frozen=True, slots=True)
class LogAccess:
    """What is known of event logs.

    Attributes:
        findings: The checks.
        mounts: Mount points, and what they stand for.
        why_not: Why there is nothing to load; blank where there is.
    """

    findings: Sequence[Finding]
    mounts: Mapping[str, str]
    why_not: str = ""


def event_log_access(
    workspace: Workspace,
    reach: Callable[[], Files],
    destinations: pl.DataFrame,
    *,
    told_by: str,
    api: Api | None,
    dbfs_root: str | None,
) -> LogAccess:
    """Look for event logs wherever the configuration and the clusters say.

    Args:
        workspace: The workspace.
        reach: Makes what reads its files.
        destinations: Log destinations of its clusters: `cluster_id`, `destination`.
        told_by: Where those are known from.
        api: The workspace's API; None: it can't be asked.
        dbfs_root: What `dbfs:/` stands for, where it is read without the API.
    """
    org, logs = workspace.organization_id, workspace.spark_event_logs
    if logs is None:
        why = "no `spark_event_logs` is configured"
        remedy = "Configure it for tables of Spark jobs, stages and tasks"
        return LogAccess([Check(FOLDERS, org, "look for event logs").skipped(why, remedy)], {}, why)
    try:
        files = reach()
    except ConfigError as error:
        check = Check(FOLDERS, org, "reach the storage of event logs")
        finding = check.failed(error, "Mend `source_storage` in the configuration")
        return LogAccess([finding], {}, str(error))
    findings = [_folder(Check(FOLDERS, org, f"list {each}"), files, each) for each in logs.folders]
    mounts: Mapping[str, str] = logs.mounts
    if logs.from_clusters:
        of_mounts, mounts = _mounts(workspace, logs, files, api)
        told = set(destinations["destination"])
        uris = {each: readable(each, mounts, dbfs_root=dbfs_root) for each in sorted(told)}
        findings += [*of_mounts, *_unmapped(org, uris), *_reached(org, files, uris, told_by)]
    failed = [each for each in findings if each.is_failed and each.rule != MOUNTS]
    is_lost = bool(failed) and len(failed) == len([e for e in findings if e.rule != MOUNTS])
    return LogAccess(findings, mounts, failed[0].came_back if is_lost else "")


def _folder(check: Check, files: Files, folder: str) -> Finding:
    try:
        found = next(
            (each for each in islice(files.list(folder), MOST_LOOKED_AT) if is_log(each.path)), None
        )
    except SourceError as error:
        return check.failed(error, _PERMIT)
    if found is None:
        told = "holds no file that may be an event log, or is missing"
        return check.warning(told, "Check the path; clusters write logs some minutes after a start")
    return check.ok(f"holds event logs, such as {found.path}")


def _mounts(
    workspace: Workspace, logs: SparkEventLogs, files: Files, api: Api | None
) -> tuple[list[Finding], Mapping[str, str]]:
    """What is known of mounts, and how."""
    org = workspace.organization_id
    findings: list[Finding] = []
    of_file: Mapping[str, str] = {}
    if logs.mount_mapping is not None:
        check = Check(MOUNTS, org, f"read {logs.mount_mapping}")
        try:
            of_file = mounts_of_file(files, logs.mount_mapping, org)
        except OverwatchError as error:
            findings.append(check.failed(error, "Mend the file or `mount_mapping`"))
        else:
            remedy = f"Add rows with workspace_id {org}, or leave `mount_mapping` out"
            none = check.warning(f"has no row of workspace {org}", remedy)
            findings.append(check.ok(f"{len(of_file)} mounts") if of_file else none)
    if api is None:
        return findings, united(of_file, logs.mounts)
    check = Check(MOUNTS, org, "ask the API for mounts")
    try:
        told = mounts_of_api(api)
    except ApiError as error:
        findings.append(check.warning(str(error), NAME_THEM))
        return findings, united(of_file, logs.mounts)
    if len(told) >= MOST_TOLD and not of_file:
        told_of = f"tells {len(told)}, and of no more than that"
        findings.append(check.warning(told_of, NAME_THEM))
    else:
        findings.append(check.ok(f"tells {len(told)}"))
    return findings, united(told, of_file, logs.mounts)


def _unmapped(organization_id: str, uris: Mapping[str, str | None]) -> list[Finding]:
    """Destinations that look like mounts and are none that is known."""
    lost = [uri for uri in uris.values() if uri is not None and f"{uri}/".startswith(_MOUNT)]
    if not lost:
        return []
    check = Check(MOUNTS, organization_id, "look for the mounts of log destinations")
    told = f"{len(lost)} lie under mounts that nothing maps: {_some(lost)}"
    remedy = "Name what each stands for in `mounts`; else they are read slowly, through the API"
    return [check.warning(told, remedy)]


def _reached(
    organization_id: str, files: Files, uris: Mapping[str, str | None], told_by: str
) -> list[Finding]:
    """Whether the destinations can be listed."""
    tried = f"list the log destinations of clusters, known from {told_by}"
    check = Check(DESTINATIONS, organization_id, tried)
    if not uris:
        remedy = "Give clusters a log destination, best by a cluster policy"
        return [check.warning("no cluster has one", remedy)]
    findings: list[Finding] = []
    if odd := [destination for destination, uri in uris.items() if uri is None]:
        told = f"{len(odd)} are no storage that can be read: {_some(odd)}"
        findings.append(check.warning(told, "Log to s3://, abfss://, gs://, dbfs:/ or a volume"))
    folders = sorted({uri for uri in uris.values() if uri is not None})

    def listed(folder: str) -> SourceError | None:
        try:
            files.folders(folder)
        except SourceError as error:
            return error
        return None

    with ThreadPoolExecutor(THREADS, thread_name_prefix="overwatch-validate") as pool:
        answers = list(pool.map(listed, folders))
    errors = [each for each in answers if each is not None]
    if errors:
        told = f"{len(errors)} of {len(folders)} can't be listed: {_some(map(str, errors))}"
        is_all = len(errors) == len(folders)
        findings.append(
            check.failed(SourceError(told), _PERMIT) if is_all else check.warning(told, _PERMIT)
        )
    elif folders:
        findings.append(check.ok(f"{len(folders)} can be listed: {_some(folders)}"))
    return findings


def _some(texts: "Sequence[str] | map[str]") -> str:
    every = list(texts)
    more = [f"and {len(every) - SHOWN} more"] if len(every) > SHOWN else []
    return "; ".join([*every[:SHOWN], *more])
