"""Made-up histories of one cluster, with everything that decides its states; by seed."""

import random
from itertools import pairwise

from overwatch_assets_tests.frames import Row, ms
from overwatch_assets_tests.silver.cluster_days import (
    CLUSTER,
    History,
    Loaded,
    Run,
    commanded,
    event,
    load,
    version,
    window,
)

HOUR = 3_600_000
DAY = 24 * HOUR
BEGIN = ms("2024-05-06")
LENGTHS = (23 * HOUR, 24 * HOUR, 24 * HOUR, 25 * HOUR)
"""Of days, with those of clock changes."""

KINDS = (
    "CREATING",
    "STARTING",
    "RUNNING",
    "RESIZING",
    "EDITED",
    "RESTARTING",
    "EXPANDED_DISK",
    "TERMINATING",
)
SHOWN = ("RUNNING", "TERMINATED", "UNKNOWN", "RESIZING", "ERROR")


def history_of(seed: int) -> tuple[History, list[int]]:
    """A history, and the instants at which its days end; in half of them little happens."""
    pick = random.Random(f"states {seed}")  # noqa: S311 - no secret
    ends = [BEGIN]
    for _ in range(pick.randrange(2, 6)):
        ends.append(ends[-1] + pick.choice(LENGTHS))
    until = ends[-1]
    is_quiet = pick.random() < 0.5
    told = [_event(pick, until) for _ in range(pick.randrange(1, 3 if is_quiet else 9))]
    is_automated = pick.random() < 0.5
    versions = [version("create", BEGIN - 1, is_automated=is_automated)]
    if pick.random() < 0.2:
        at = _instant(pick, until)
        versions.append(version("permanentDelete", at, is_automated=is_automated))
    captures: list[Row] = [
        {"cluster_id": cluster, "state": pick.choice(SHOWN), "captured_at_ms": at + 6 * HOUR}
        for at in ends[:-1]
        if pick.random() < (0.8 if is_quiet else 0.3)
        for cluster in (CLUSTER, "another")
        if cluster != CLUSTER or pick.random() < 0.7
    ]
    runs = [_run(pick, until) for _ in range(pick.randrange(2 if is_quiet else 4))]
    once = {(row["timestamp"], row["type"]): row for row in told}
    ran = [_instant(pick, until) for _ in range(pick.choice([0, 0, 1, 2]))]
    commands = [commanded(at) for at in ran]
    return History(list(once.values()), versions, runs, captures, commands), ends


def loaded(history: History, ends: list[int]) -> Loaded:
    """The history, day by day."""
    days = {str(number): window(*each) for number, each in enumerate(pairwise(ends))}
    return load(history, days)


def _event(pick: random.Random, until: int) -> Row:
    size = pick.randrange(5)
    details: dict[str, object] = pick.choice(
        [
            {},
            {"cluster_size": {"num_workers": size}},
            {"current_num_workers": size, "target_num_workers": pick.randrange(5)},
        ]
    )
    return event(pick.choice(KINDS), _instant(pick, until), CLUSTER, **details)


def _run(pick: random.Random, until: int) -> Run:
    begin = _instant(pick, until)
    return Run(begin, None if pick.random() < 0.3 else max(begin, _instant(pick, until)))


def _instant(pick: random.Random, until: int) -> int:
    """Often a midnight, a full hour, or right before one."""
    at = pick.randrange(BEGIN, until)
    step = pick.choice([1, 1, HOUR, DAY])
    return max(BEGIN, at // step * step - pick.choice([0, 0, 1]))
