"""All that happens in a workspace beside clusters, jobs and Spark.

Each subject keeps a diary of its own, so that one added later draws no other ids for the rest.
"""

from dataclasses import replace

from overwatch_assets.demo.account_days import account_days
from overwatch_assets.demo.audit_diary import AuditDiary
from overwatch_assets.demo.audit_oddities import audit_oddities
from overwatch_assets.demo.estate import Estate
from overwatch_assets.demo.notebook_days import notebook_days
from overwatch_assets.demo.object_days import object_days, secrets_of
from overwatch_assets.demo.scene import Scene
from overwatch_assets.demo.warehouse_days import warehouse_days
from overwatch_assets.demo.world import AuditAction

SUBJECTS = ("warehouses", "accounts", "notebooks", "objects", "secrets", "oddities")


def estate_days(scene: Scene) -> tuple[Estate, tuple[AuditAction, ...]]:
    """Play every subject.

    Returns:
        What came of it, and what the audit log tells, in the order of time.
    """
    scenes = {subject: _with_diary(scene, subject) for subject in SUBJECTS}
    warehouses, queries = warehouse_days(scenes["warehouses"])
    account_days(scenes["accounts"])
    audit_oddities(scenes["oddities"])
    notebooks, commands = notebook_days(scenes["notebooks"])
    estate = Estate(
        warehouses=warehouses,
        queries=queries,
        notebooks=notebooks,
        commands=commands,
        objects=object_days(scenes["objects"]),
        secrets=secrets_of(scenes["secrets"]),
    )
    told = (
        action
        for each in scenes.values()
        for action in each.diary.actions(scene.until_ms)
        if action.at_ms >= scene.at(0)
    )
    return estate, tuple(sorted(told, key=lambda action: action.at_ms))


def _with_diary(scene: Scene, subject: str) -> Scene:
    diary = AuditDiary(scene.workspace, scene.chance("diary", subject))
    return replace(scene, diary=diary)
