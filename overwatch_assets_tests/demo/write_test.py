import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from overwatch_assets.demo.write import DemoWorld, write_demo
from overwatch_assets.errors import ConfigError

AUDIT_FILE = re.compile(r"audit/workspaceId=\d{16}/date=\d{4}-\d\d-\d\d/auditlogs_\d+\.json")
AZURE_FILE = re.compile(
    r"audit-azure/insights-logs-\w+/resourceId=/SUBSCRIPTIONS/[0-9A-F-]{36}/RESOURCEGROUPS/RG-DATA"
    r"/PROVIDERS/MICROSOFT\.DATABRICKS/WORKSPACES/TIDEWATER-[A-Z]+"
    r"/y=\d{4}/m=\d\d/d=\d\d/h=\d\d/m=00/PT1H\.json"
)
LOG_FILE = re.compile(
    r"cluster-logs/(?P<workspace>[\w-]+)(?:/bi)?/(?P<cluster>\d{4}-\d{6}-\w{8})/eventlog/"
    r"(?P=cluster)_\d+_\d+_\d+_\d+/\d{19}/eventlog(?:-\d{4}-\d\d-\d\d--\d\d-00\.gz)?"
)


def small(root: Path, *, seed: int = 7, first_day: date = date(2026, 10, 5)) -> DemoWorld:
    return write_demo(root, seed=seed, first_day=first_day, days=1, scale=0.2)


def contents(root: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(root.rglob("*")):
        if path.is_file():
            yield path.relative_to(root).as_posix(), path.read_bytes()


def times(root: Path) -> dict[str, int]:
    files = [*root.rglob("auditlogs_*"), *root.rglob("eventlog*")]
    stats = ((path, path.stat()) for path in files if path.is_file())
    return {path.relative_to(root).as_posix(): stat.st_mtime_ns for path, stat in stats}


def test_the_same_arguments_write_the_same_bytes_and_times(tmp_path: Path) -> None:
    one, other = small(tmp_path / "one"), small(tmp_path / "other")
    assert dict(contents(one.root)) == dict(contents(other.root))
    assert times(one.root) == times(other.root) != {}


def test_another_seed_writes_other_ids(tmp_path: Path) -> None:
    one, other = small(tmp_path / "one"), small(tmp_path / "other", seed=8)
    names = [{name for name, _ in contents(root)} for root in (one.root, other.root)]
    assert not {name for name in names[0] & names[1] if "cluster-logs" in name}


def test_writing_again_repairs_a_demo_and_changes_nothing_else(tmp_path: Path) -> None:
    written = small(tmp_path)
    before = dict(contents(tmp_path))
    written.truth.unlink()
    small(tmp_path)
    assert dict(contents(tmp_path)) == before


def test_a_folder_with_another_demo_is_refused(tmp_path: Path) -> None:
    small(tmp_path)
    with pytest.raises(ConfigError, match="another demo"):
        small(tmp_path, seed=8)


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match="other files"):
        small(tmp_path)


@pytest.mark.parametrize(("days", "scale"), [(0, 1.0), (1, 0.0)])
def test_a_world_needs_a_day_and_a_scale(tmp_path: Path, days: int, scale: float) -> None:
    with pytest.raises(ConfigError, match="demo"):
        write_demo(tmp_path, days=days, scale=scale)


def test_every_file_lies_where_databricks_would_deliver_it(demo: DemoWorld) -> None:
    files = {name for name, _ in contents(demo.root)} - {"demo.json", "truth.json"}
    files -= {"prices/instance_details.csv", "prices/dbu_cost_details.csv"}
    audit = {name for name in files if AUDIT_FILE.fullmatch(name)}
    azure = {name for name in files if AZURE_FILE.fullmatch(name)}
    logs = {name for name in files if LOG_FILE.fullmatch(name)}
    assert files == audit | azure | logs
    assert audit
    assert azure
    assert logs


def test_the_result_names_what_a_configuration_needs(demo: DemoWorld) -> None:
    assert (demo.first_day, demo.last_day) == (date(2026, 10, 5), date(2026, 10, 7))
    names = [each.name for each in demo.workspaces]
    assert names == ["tidewater-prod", "tidewater-lab", "tidewater-shops"]
    for each in demo.workspaces:
        assert each.workspace_id in each.audit_folder.name
        assert each.audit_folder.is_dir()
        assert each.log_folder.is_dir()
    assert demo.log_mounts == {"dbfs:/mnt/cluster-logs": demo.root / "cluster-logs"}


def test_the_first_day_may_be_any_day(tmp_path: Path) -> None:
    written = small(tmp_path, first_day=date(2024, 2, 29))
    assert (written.workspaces[0].audit_folder / "date=2024-02-29").is_dir()
