"""Writes the made-up company's telemetry to a folder, and the truth about it beside it.

```
<root>/demo.json       what was made: workspaces, folders, days; the arguments
<root>/audit/          audit logs, bucket delivery
<root>/audit-azure/    the same events, as Azure's diagnostic settings archive them
<root>/cluster-logs/   what the clusters know as dbfs:/mnt/cluster-logs
<root>/prices/          what machines and DBUs cost, as price files
<root>/truth.json      ground truth, written last
```
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from overwatch_assets.demo.audit_azure import write_azure_audit_logs
from overwatch_assets.demo.audit_files import write_audit_log
from overwatch_assets.demo.company import LOG_MOUNT
from overwatch_assets.demo.price_files import price_files
from overwatch_assets.demo.prices import price_list
from overwatch_assets.demo.simulation import simulate
from overwatch_assets.demo.spark_logs import write_log
from overwatch_assets.demo.truth import truth_of
from overwatch_assets.demo.world import World
from overwatch_assets.errors import ConfigError

FIRST_DAY = date(2026, 10, 5)
DAYS = 3
PRICES = "prices"
"""Folder of the price files; the company pays the same in all its workspaces."""

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class DemoWorkspace:
    """A workspace as a configuration needs it.

    Attributes:
        audit_folder: Holds the `date=` folders.
        log_folder: Everything that the workspace's clusters delivered.
    """

    workspace_id: str
    name: str
    audit_folder: Path
    log_folder: Path


@dataclass(frozen=True, slots=True)
class DemoWorld:
    """What `write_demo` made.

    Attributes:
        world: What happened.
        azure_folder: Holds the diagnostic records of all workspaces.
        log_mounts: Folder behind each mount that the clusters' log destinations name.
        last_day: Inclusive; the logs end with it.
    """

    root: Path
    world: World
    workspaces: tuple[DemoWorkspace, ...]
    first_day: date
    last_day: date
    azure_folder: Path
    log_mounts: dict[str, Path]
    truth: Path


def write_demo(
    root: Path,
    *,
    seed: int = 7,
    first_day: date = FIRST_DAY,
    days: int = DAYS,
    scale: float = 1.0,
    spark_logs: bool = True,
) -> DemoWorld:
    """Write the demo; the same arguments write the same bytes with the same times.

    Args:
        root: Empty, missing, or the folder of the same demo, which is written again.
        seed: Changes ids, times and figures.
        first_day: UTC day that the telemetry begins with.
        days: At least one.
        scale: 1.0 is about 25 MB of Spark log in three days; it grows with the scale.
        spark_logs: False: the clusters deliver none, and a scale in the thousands is possible.

    Raises:
        ConfigError: The folder holds something else, or an argument makes no world.
    """
    if days < 1 or scale <= 0:
        wrong = f"demo: days={days}, scale={scale}: there must be a day and a scale above 0"
        raise ConfigError(wrong)
    world = simulate(seed=seed, first_day=first_day, days=days, scale=scale, spark_logs=spark_logs)
    demo = _demo_world(root, world, first_day, days)
    _claim(demo, {"seed": seed, "days": days, "scale": scale, "spark_logs": spark_logs})
    for workspace, place in zip(world.workspaces, demo.workspaces, strict=True):
        write_audit_log(place.audit_folder.parent, workspace, world.company.account_id)
        place.log_folder.mkdir(parents=True, exist_ok=True)
        for context in workspace.contexts:
            write_log(demo.log_mounts[LOG_MOUNT], context, workspace.workspace)
    write_azure_audit_logs(demo.azure_folder, world)
    _write_prices(root / PRICES, price_files(price_list(first_day, days)))
    _write(demo.truth, truth_of(world))
    return demo


def _demo_world(root: Path, world: World, first_day: date, days: int) -> DemoWorld:
    audit, logs = root / "audit", root / "cluster-logs"
    workspaces = (each.workspace for each in world.workspaces)
    return DemoWorld(
        root=root,
        world=world,
        workspaces=tuple(
            DemoWorkspace(
                workspace_id=each.workspace_id,
                name=each.name,
                audit_folder=audit / f"workspaceId={each.workspace_id}",
                log_folder=logs / each.name,
            )
            for each in workspaces
        ),
        first_day=first_day,
        last_day=first_day + timedelta(days=days - 1),
        azure_folder=root / "audit-azure",
        log_mounts={LOG_MOUNT: logs},
        truth=root / "truth.json",
    )


def _claim(demo: DemoWorld, arguments: Json) -> None:
    """Say what the folder is for, unless it says something else already."""
    root = demo.root
    described = root / "demo.json"
    description: Json = {
        "first_day": demo.first_day.isoformat(),
        "last_day": demo.last_day.isoformat(),
        "arguments": arguments,
        "log_mounts": {
            mount: folder.relative_to(root).as_posix() for mount, folder in demo.log_mounts.items()
        },
        "workspaces": [
            {
                "workspace_id": each.workspace_id,
                "name": each.name,
                "audit_folder": each.audit_folder.relative_to(root).as_posix(),
                "log_folder": each.log_folder.relative_to(root).as_posix(),
            }
            for each in demo.workspaces
        ],
    }
    if described.exists():
        if described.read_text(encoding="utf-8") != _text(description):
            other = (
                f"{described}: another demo was written here; remove {root} or name a new folder"
            )
            raise ConfigError(other)
    elif root.exists() and any(root.iterdir()):
        foreign = f"{root}: the folder of the demo holds other files; name a new or empty folder"
        raise ConfigError(foreign)
    root.mkdir(parents=True, exist_ok=True)
    _write(described, description)


def _write_prices(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def _write(path: Path, value: Json) -> None:
    path.write_text(_text(value), encoding="utf-8")


def _text(value: Json) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
