from datetime import date
from pathlib import Path

from overwatch_assets.demo.emulated import emulated_workspaces
from overwatch_assets.demo.simulation import simulate
from overwatch_assets.demo.world import World


def world() -> World:
    return simulate(seed=7, first_day=date(2026, 10, 5), days=3, scale=0.3, spark_logs=False)


def test_every_question_has_an_answer_at_the_end_of_the_world(tmp_path: Path) -> None:
    played = world()
    (tmp_path / "here").mkdir()
    for each, made in zip(emulated_workspaces(played, tmp_path), played.workspaces, strict=True):
        now = played.until_ms
        assert each.workspace_id == made.workspace.workspace_id
        lists = (each.clusters, each.jobs, each.job_runs, each.instance_pools, each.policies)
        lists += (each.library_statuses, each.tokens, each.init_scripts, each.warehouses)
        lists += (each.queries, each.instance_profiles)
        for answer in lists:
            assert answer(now), answer
        [*clusters] = each.clusters(now)
        events = [each.cluster_events(str(one["cluster_id"]), now) for one in clusters]
        assert any(events)
        assert each.cluster(str(clusters[0]["cluster_id"]), now) == clusters[0]
        assert len([*each.audit_rows()]) == len(made.actions)
        assert each.node_types()
        assert each.mounts()
        assert each.secrets()
        assert each.file("/mnt/cluster-logs/here") == tmp_path / "here"
        assert each.file("/mnt/cluster-logs/../here") is None
