"""The simulation: what the company's workspaces do over some days, in event time.

Every workspace has days of the same kinds: people at an interactive cluster (`interactive.py`),
scheduled jobs on clusters of their own and a stream that never ends (`runs.py`), and all that
needs no cluster: SQL warehouses, accounts, notebooks, policies (`estate_days.py`). Each subject
draws from its own source of chance, so that one added later leaves the others as they were.
"""

from datetime import date

from overwatch_assets.demo.audit_diary import AuditDiary
from overwatch_assets.demo.company import Workspace, found_company, seeded
from overwatch_assets.demo.estate_days import estate_days
from overwatch_assets.demo.interactive import interactive_days
from overwatch_assets.demo.runs import scheduled_runs, stream_run
from overwatch_assets.demo.scene import Scene
from overwatch_assets.demo.world import WorkspaceWorld, World


def simulate(*, seed: int, first_day: date, days: int, scale: float) -> World:
    """Play `days` days from `first_day`; the same arguments give the same world.

    Args:
        seed: Changes ids, times and figures, not who there is.
        first_day: UTC day that the world begins with.
        days: At least one; the cut at their end leaves work unfinished.
        scale: Multiplies what people and schedules do; 1.0 is a small company.
    """
    company = found_company(seed, first_day, scale)
    scenes = [_scene(each, seed, first_day, days, scale) for each in company.workspaces]
    return World(
        company=company,
        since_ms=scenes[0].at(0),
        until_ms=scenes[0].until_ms,
        workspaces=tuple(_play(scene) for scene in scenes),
    )


def _scene(workspace: Workspace, seed: int, first_day: date, days: int, scale: float) -> Scene:
    diary = AuditDiary(workspace, seeded(seed, workspace.workspace_id, "diary"))
    return Scene(workspace, diary, seed, first_day, days, scale)


def _play(scene: Scene) -> WorkspaceWorld:
    contexts = (stream_run(scene), *interactive_days(scene), *scheduled_runs(scene))
    estate, told = estate_days(scene)
    actions = (*scene.diary.actions(scene.until_ms), *told)
    return WorkspaceWorld(
        workspace=scene.workspace,
        actions=tuple(sorted(actions, key=lambda action: action.at_ms)),
        contexts=tuple(each for each in contexts if each.started_ms < scene.until_ms),
        estate=estate,
        estate_actions=told,
    )
