"""What clusters were, from audit logs and captures of the made-up company, against its truth."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import pytest

from overwatch_assets.demo.api_compute import ComputeApi
from overwatch_assets.demo.cluster_life import ClusterLife
from overwatch_assets.demo.cluster_spec import ClusterSpec
from overwatch_assets.demo.world import AuditAction, WorkspaceWorld, World
from overwatch_assets.presentation.cluster import VIEW
from overwatch_assets.presentation.reading import Reach, view_rows
from overwatch_assets.registry import TABLES, in_load_order
from overwatch_assets_tests.end_to_end.company import Company, Observed, open_company
from overwatch_assets_tests.laws.harness import MS_PER_DAY

Row = Mapping[str, object]
Key = tuple[object, ...]

NEEDED = {
    "audit_log_bronze",
    "clusters_snapshot_bronze",
    "pools_snapshot_bronze",
    "pools_silver",
    "cluster_spec_silver",
    "cluster_gold",
}
MODULES = [module for module in in_load_order() if module.table.name in NEEDED]
MADE = [module for module in MODULES if module.source is None]
CHANGES = ("create", "edit", "resize", "permanentDelete")
DAYS = 4


@dataclass
class Truth:
    """What the view `cluster` must show of a workspace.

    Attributes:
        captured_ms: The first capture: what it shows of older clusters was so from the start.
    """

    world: World
    of: WorkspaceWorld
    captured_ms: int

    def rows(self) -> dict[Key, Row]:
        """Rows by cluster, instant and action."""
        found: dict[Key, Row] = {}
        for life in self.of.compute.lives():
            told = self._told.get(life.cluster_id, [])
            if self._is_known_from_the_start(life):
                key = (life.cluster_id, self.world.since_ms, "snapImpute")
                found[key] = self._row(life, self.world.since_ms, [])
            for number, action in enumerate(told):
                key = (life.cluster_id, action.at_ms, action.action)
                found[key] = self._row(life, action.at_ms, told[: number + 1])
        return found

    def _row(self, life: ClusterLife, at_ms: int, told: list[AuditAction]) -> Row:
        by = {action.action: action.by for action in told}
        spec = life.spec_at(at_ms)
        if not {"create", "edit"} & by.keys():
            shown = life.spec_at(self.captured_ms - 1)
            sized = spec if "resize" in by else shown
            spec = replace(shown, min_workers=sized.min_workers, max_workers=sized.max_workers)
        is_job = spec.name.startswith("job-")
        creator = by.get("create", life.spec.owner.email)
        last = told[-1] if told else None
        return {
            **_definition(spec),
            "instance_pool_name": self._pool_name(spec.pool_id, at_ms),
            "driver_instance_pool_name": self._pool_name(spec.driver_pool_id, at_ms),
            "is_automated": is_job,
            "created_by": "JobsService" if is_job and "create" in by else creator,
            "last_edited_by": None if is_job else by.get("edit"),
            "deleted_by": last.by if last and last.action == "permanentDelete" else None,
        }

    def _is_known_from_the_start(self, life: ClusterLife) -> bool:
        return life.created_ms < self.world.since_ms and life.cluster_id in self._captured

    @cached_property
    def _captured(self) -> set[object]:
        """Clusters that the first capture shows: those that are listed, those that are named."""
        api = ComputeApi(self.world, self.of)
        listed = {each["cluster_id"] for each in api.clusters(self.captured_ms)}
        named = {
            str((action.params or {}).get("cluster_id"))
            for action in self.of.actions
            if action.at_ms < self.captured_ms
        }
        return listed | {each for each in named if api.cluster(each, self.captured_ms)}

    @cached_property
    def _told(self) -> dict[str, list[AuditAction]]:
        """Changes of clusters that the audit log tells and that were carried out."""
        told: dict[str, list[AuditAction]] = {}
        for action in self.of.actions:
            if action.service == "clusters" and action.action in CHANGES and action.status == 200:
                named = action.result if action.action == "create" else action.params
                told.setdefault(str((named or {})["cluster_id"]), []).append(action)
        return told

    def _pool_name(self, pool_id: str | None, at_ms: int) -> str | None:
        names = [p.spec_at(at_ms).name for p in self.of.compute.pools if p.pool_id == pool_id]
        return names[0] if names else None


def _definition(spec: ClusterSpec) -> Row:
    limits = {"min_workers": spec.min_workers, "max_workers": spec.max_workers}
    log = spec.log_destination
    kind = "volumes" if log and log.startswith("/Volumes/") else "dbfs"
    return {
        "cluster_name": spec.name,
        "driver_node_type": spec.driver_type,
        "node_type": None if spec.is_single_node else spec.node_type,
        "num_workers": None if spec.is_autoscaling else spec.min_workers,
        "autoscale": limits if spec.is_autoscaling else None,
        "auto_termination_minutes": spec.autotermination_minutes,
        "cluster_type": "Single Node" if spec.is_single_node else "Standard",
        "spark_version": spec.spark_version,
        "runtime_engine": "PHOTON" if spec.is_photon else "STANDARD",
        "instance_pool_id": spec.pool_id,
        "driver_instance_pool_id": spec.driver_pool_id,
        "cluster_source": spec.source,
        "policy_id": spec.policy_id,
        "team": spec.tags.get("team"),
        "availability": spec.availability,
        "single_user": spec.single_user,
        "init_script": spec.init_script,
        "log": None if log is None else {kind: {"destination": log}},
    }


def shown(observed: Observed, organization_id: str) -> dict[Key, Row]:
    """The view's rows of a workspace, in the words of the truth."""
    [gold] = [table for table in TABLES if table.name == VIEW.table]
    reach = Reach(workspaces=[organization_id])
    rows = view_rows(observed.deployment.store, VIEW, gold, reach).collect()
    return {
        (row["cluster_id"], row["unixTimeMS"], row["action"]): {
            **{name: row[name] for name in _COMPARED if name in row},
            "autoscale": _object(row["autoscale"]),
            "team": (_object(row["custom_tags"]) or {}).get("team"),
            "availability": dict(row["aws_attributes"])["availability"],
            "single_user": row["security_profile"]["single_user_profile"]["single_user_name"],
            "init_script": _init_script(row["init_scripts"]),
            "log": _object(row["cluster_log_conf"]),
        }
        for row in rows.iter_rows(named=True)
    }


_COMPARED = (
    "cluster_name", "driver_node_type", "node_type", "num_workers", "auto_termination_minutes",
    "cluster_type", "spark_version", "runtime_engine", "instance_pool_id",
    "driver_instance_pool_id", "instance_pool_name", "driver_instance_pool_name",
    "cluster_source", "policy_id", "is_automated", "created_by", "last_edited_by", "deleted_by",
)  # fmt: skip


def _object(text: str | None) -> dict[str, object] | None:
    return None if text is None else json.loads(text)


def _init_script(text: str | None) -> str | None:
    return None if text is None or text == "[]" else json.loads(text)[0]["workspace"]["destination"]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    root = tmp_path_factory.mktemp("company")
    with open_company(root, days=DAYS, scale=0.2) as company:
        yield company


@pytest.fixture(scope="module")
def loaded(company: Company) -> Observed:
    """All days in one run, long after: there is one capture, of the morning after the last day."""
    observed = company.deployed()
    observed.load_all(MODULES, company.days)
    return observed


def differing(found: dict[Key, Row], expected: dict[Key, Row]) -> list[object]:
    """Rows that only one side has, and values that are not the same."""
    lonely: list[object] = [("only shown", key) for key in found.keys() - expected.keys()]
    lonely += [("not shown", key) for key in expected.keys() - found.keys()]
    values = [
        (key, name, found[key][name], value)
        for key in found.keys() & expected.keys()
        for name, value in expected[key].items()
        if found[key][name] != value
    ]
    return [*lonely, *values]


def test_every_version_of_every_cluster_is_shown_as_it_was(
    company: Company, loaded: Observed
) -> None:
    actions: set[object] = set()
    for each in company.demo.world.workspaces:
        truth = Truth(company.demo.world, each, company.end_ms).rows()
        assert differing(shown(loaded, each.workspace.workspace_id), truth) == []
        actions |= {action for _, _, action in truth}
    assert actions == {*CHANGES, "snapImpute"}


def test_loaded_every_morning_it_shows_what_the_first_morning_knew(company: Company) -> None:
    observed = company.deployed()
    [workspace, *_] = company.demo.world.workspaces
    observed.load_daily(MODULES, workspace.workspace.name)
    first_morning = company.end_ms - (DAYS - 1) * MS_PER_DAY
    truth = Truth(company.demo.world, workspace, first_morning).rows()
    assert differing(shown(observed, workspace.workspace.workspace_id), truth) == []


def test_day_by_day_in_two_runs_gives_what_one_range_gives(
    company: Company, loaded: Observed
) -> None:
    observed = company.deployed()
    observed.load_all(MODULES, *([day] for day in company.days))
    once, again = loaded.tables(MADE), observed.tables(MADE)
    assert [name for name in once if not once[name].equals(again[name])] == []
    assert all(rows.height for rows in once.values())
