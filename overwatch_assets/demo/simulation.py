"""The simulation: what the company's workspaces do over some days, in event time.

Every workspace has days of the same kinds: people at an interactive cluster (`interactive.py`),
scheduled jobs on clusters of their own and a stream that never ends (`runs.py`), which Spark logs
tell of; further clusters and jobs of every kind (`cluster_cases.py`, `job_cases.py`), and many
ordinary ones (`fleet.py`); and all that needs no cluster: SQL warehouses, accounts, notebooks,
policies (`estate_days.py`). Each subject draws from its own source of chance, so that one added
later leaves the others as they were.
"""

from datetime import date

from overwatch_assets.demo.audit_diary import AuditDiary
from overwatch_assets.demo.cluster_cases import cluster_cases
from overwatch_assets.demo.company import Workspace, found_company, seeded
from overwatch_assets.demo.estate_days import estate_days
from overwatch_assets.demo.fleet import found_fleet
from overwatch_assets.demo.interactive import interactive_days
from overwatch_assets.demo.job_cases import job_cases
from overwatch_assets.demo.ledger import WorkspaceCompute
from overwatch_assets.demo.pool_cases import pool_cases
from overwatch_assets.demo.prices import price_list
from overwatch_assets.demo.runs import scheduled_runs, stream_run
from overwatch_assets.demo.scene import Scene
from overwatch_assets.demo.timeline import Timeline
from overwatch_assets.demo.world import WorkspaceWorld, World


def simulate(
    *, seed: int, first_day: date, days: int, scale: float, spark_logs: bool = True
) -> World:
    """Play `days` days from `first_day`; the same arguments give the same world.

    Args:
        seed: Changes ids, times and figures, not who there is.
        first_day: UTC day that the world begins with.
        days: At least one; the cut at their end leaves work unfinished.
        scale: Multiplies what people and schedules do; 1.0 is a small company.
        spark_logs: False: no Spark contexts are kept, only the fleet grows beyond 1.0, and audit
            actions are made as they are read.
    """
    spark_scale = scale if spark_logs else min(scale, 1.0)
    company = found_company(seed, first_day, spark_scale)
    scenes = [_scene(each, seed, first_day, days, spark_scale) for each in company.workspaces]
    return World(
        company=company,
        since_ms=scenes[0].at(0),
        until_ms=scenes[0].until_ms,
        workspaces=tuple(_play(scene, scale, spark_logs=spark_logs) for scene in scenes),
    )


def _scene(workspace: Workspace, seed: int, first_day: date, days: int, scale: float) -> Scene:
    diary = AuditDiary(workspace, seeded(seed, workspace.workspace_id, "diary"))
    return Scene(workspace, diary, seed, first_day, days, scale * workspace.size)


def _play(scene: Scene, scale: float, *, spark_logs: bool) -> WorkspaceWorld:
    contexts = (stream_run(scene), *interactive_days(scene), *scheduled_runs(scene))
    pools = pool_cases(scene)
    job_cases(scene, cluster_cases(scene, pools), pools)
    fleet = found_fleet(scene, scale * scene.workspace.size)
    estate, told = estate_days(scene)
    until, ledger = scene.until_ms, scene.ledger
    noted = (diary.actions(until) for diary in (scene.diary, *scene.diaries))
    actions = Timeline((*noted, told, *fleet.actions()), scene.at(0), until)
    return WorkspaceWorld(
        workspace=scene.workspace,
        actions=tuple(actions) if spark_logs else actions,
        contexts=tuple(each for each in contexts if spark_logs and each.started_ms < until),
        compute=WorkspaceCompute(
            parts=(ledger, fleet),
            pools=tuple(ledger.pools),
            gaps=tuple(ledger.gaps),
            prices=price_list(scene.first_day, scene.days),
        ),
        estate=estate,
        estate_actions=told,
    )
