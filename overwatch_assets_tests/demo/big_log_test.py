import json
from collections import Counter
from pathlib import Path

from overwatch_assets.demo.big_log import write_big_log
from overwatch_assets_tests.demo.reading import Event, event_time

SIZE = 40_000_000


def events_of(path: Path) -> list[Event]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_a_big_log_has_the_size_wanted_and_what_it_says_it_has(tmp_path: Path) -> None:
    path = tmp_path / "big"
    said = write_big_log(path, SIZE)
    assert path.stat().st_size == said.size_bytes
    assert SIZE <= said.size_bytes < SIZE + 20_000
    events = events_of(path)
    counts = Counter(event["Event"] for event in events)
    assert said.lines == len(events)
    assert said.jobs == counts["SparkListenerJobEnd"]
    assert said.stages == counts["SparkListenerStageCompleted"]
    assert said.tasks == counts["SparkListenerTaskEnd"]
    ran = [event["Task Metrics"]["Executor Run Time"] for event in events if "Task Type" in event]
    assert said.run_time_ms == sum(ran)


def test_its_repetitions_read_as_one_context(tmp_path: Path) -> None:
    path = tmp_path / "big"
    write_big_log(path, SIZE)
    events = events_of(path)
    times = [at_ms for at_ms in map(event_time, events) if at_ms is not None]
    assert times == sorted(times)
    for name, key in (("JobStart", "Job ID"), ("JobEnd", "Job ID")):
        ids = [each[key] for each in events if each["Event"] == f"SparkListener{name}"]
        assert ids == list(range(len(ids)))
        assert len(ids) > 20
    tasks = [each["Task Info"]["Task ID"] for each in events if "Task Type" in each]
    assert len(tasks) == len(set(tasks))
    ended = [each for each in events if each["Event"] == "SparkListenerStageCompleted"]
    stages = {each["Stage Info"]["Stage ID"] for each in ended}
    assert len(stages) == len(ended)
    listed = {
        stage
        for each in events
        if each["Event"] == "SparkListenerJobStart"
        for stage in each["Stage IDs"]
    }
    assert stages <= listed


def test_its_task_ends_are_as_long_as_real_ones(tmp_path: Path) -> None:
    path = tmp_path / "big"
    write_big_log(path, SIZE)
    ends = [line for line in path.read_bytes().splitlines() if b"TaskEnd" in line[:40]]
    assert 2700 < sum(map(len, ends)) / len(ends) < 3200


def test_the_same_seed_writes_the_same_log(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    write_big_log(one, 2_000_000)
    write_big_log(other, 2_000_000)
    assert one.read_bytes() == other.read_bytes()
