import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from overwatch_assets.demo.write import DemoWorkspace, DemoWorld, write_demo
from overwatch_assets_tests.demo.reading import (
    audit_records,
    context_folders,
    counted,
    day_of,
    lines_of,
    parsed,
)

SPARK = ("spark_events", "spark_jobs", "stages", "tasks", "sums")


def truth_of(demo: DemoWorld, workspace: DemoWorkspace) -> dict[str, Any]:
    return json.loads(demo.truth.read_text(encoding="utf-8"))[workspace.workspace_id]


def agree(demo: DemoWorld, workspace: DemoWorkspace) -> None:
    truth = truth_of(demo, workspace)
    days, untimed = counted(context_folders(workspace.log_folder))
    assert untimed == truth["untimed_spark_events"]
    assert days.keys() <= truth["days"].keys()
    for day, said in truth["days"].items():
        for kind in SPARK:
            assert Counter(said[kind]) == days[day][kind], (day, kind)


def test_the_truth_of_spark_is_what_a_plain_count_of_the_lines_gives(
    demo: DemoWorld, workspace: DemoWorkspace
) -> None:
    agree(demo, workspace)


@pytest.mark.parametrize(("days", "scale", "seed"), [(1, 0.2, 3), (2, 1.6, 11)])
def test_it_is_so_for_other_sizes(tmp_path: Path, days: int, scale: float, seed: int) -> None:
    demo = write_demo(tmp_path, seed=seed, days=days, scale=scale)
    for workspace in demo.workspaces:
        agree(demo, workspace)


def test_the_truth_of_the_audit_log_is_what_a_plain_count_of_the_lines_gives(
    demo: DemoWorld, workspace: DemoWorkspace
) -> None:
    once = {json.dumps(record): record for _, record in audit_records(workspace.audit_folder)}
    days: dict[str, Counter[str]] = defaultdict(Counter)
    for record in once.values():
        what = f"{record['serviceName']}.{record['actionName']}"
        days[day_of(record["timestamp"]).isoformat()][what] += 1
    truth = truth_of(demo, workspace)["days"]
    assert {day: Counter(said["audit_events"]) for day, said in truth.items()} == days


def test_contexts_clusters_and_torn_lines_are_counted(
    demo: DemoWorld, workspace: DemoWorkspace
) -> None:
    folders = context_folders(workspace.log_folder)
    lines = (line for folder in folders for path in folder.iterdir() for line in lines_of(path))
    truth = truth_of(demo, workspace)
    assert truth["spark_contexts"] == len(folders)
    assert truth["clusters_with_logs"] == len({folder.parents[2].name for folder in folders})
    assert truth["rejected_lines"] == sum(parsed(line) is None for line in lines) == 1


def test_every_day_has_work(demo: DemoWorld, workspace: DemoWorkspace) -> None:
    days = truth_of(demo, workspace)["days"]
    assert list(days) == ["2026-10-05", "2026-10-06", "2026-10-07"]
    for said in days.values():
        assert said["tasks"]["Success"] > 20
        assert said["sums"]["memory_spilled_bytes"] > 0
        assert said["audit_events"]["jobs.runSucceeded"] > 0
