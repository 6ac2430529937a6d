"""A plain reading of what the API tells of clusters: states out of events."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from overwatch_assets.demo.api_compute import ComputeApi
from overwatch_assets.demo.compute_truth import compute_truth
from overwatch_assets.demo.world import WorkspaceWorld, World

Said = dict[str, Any]


@dataclass(frozen=True)
class SeenState:
    """A state as its event tells it."""

    state: str
    start_ms: int
    end_ms: int
    current_workers: int
    target_workers: int
    is_running: bool


def named(world: World, name: str) -> WorkspaceWorld:
    return next(each for each in world.workspaces if each.workspace.name == name)


def api_of(world: World, name: str) -> ComputeApi:
    return ComputeApi(world, named(world, name))


def truth_of(world: World, name: str) -> Said:
    return compute_truth(named(world, name).compute, world.since_ms, world.until_ms)


def seen_states(events: Sequence[Said], until_ms: int) -> list[SeenState]:
    """Read states out of events: each lasts until the next; workers and power are carried on."""
    states: list[SeenState] = []
    is_running, workers = False, 0
    ends = [event["timestamp"] for event in events[1:]] + [until_ms]
    for event, end_ms in zip(events, ends, strict=True):
        if event["type"] in {"CREATING", "STARTING"}:
            is_running = True
        elif event["type"] == "TERMINATING":
            is_running = False
        details = event["details"]
        size = details.get("cluster_size", {})
        asked = size.get("num_workers", size.get("autoscale", {}).get("min_workers"))
        told = details.get("current_num_workers", asked)
        workers = workers if told is None else told
        current = workers if is_running else 0
        states.append(
            SeenState(
                state=event["type"],
                start_ms=event["timestamp"],
                end_ms=end_ms,
                current_workers=current,
                target_workers=details.get("target_num_workers", current) if is_running else 0,
                is_running=is_running,
            )
        )
    return states
