"""Audit records of unusual form, which any reader of the log must survive.

Others of that kind stand where they belong: logins without request id or identity, logouts
without parameters, libraries as objects, requests that were refused.
"""

from overwatch_assets.demo.scene import MINUTE_MS, Scene

TRUNCATED_BYTES = 100 * 1024
TRUNCATION_MARK = "... truncated"
COLUMNS = 3000
"""Enough for a request over the limit."""


def audit_oddities(scene: Scene) -> None:
    """Tell them; some on the first day only, the capital spellings on each."""
    _cut_short(scene)
    _for_the_account(scene)
    _in_two_parts(scene)
    for day in range(scene.days):
        _with_capitals(scene, day)


def _cut_short(scene: Scene) -> None:
    """A table with so many columns that their description is cut: no JSON any more."""
    columns = ",".join(f'{{"name":"measure_{n:04}","type":"double"}}' for n in range(COLUMNS))
    person = scene.workspace.people[2]
    params = {
        "name": "wide_measurements",
        "catalog_name": "lab",
        "schema_name": "scratch",
        "columns": f"[{columns}]"[:TRUNCATED_BYTES] + TRUNCATION_MARK,
    }
    scene.diary.note(scene.at(0, 14, 40), "unityCatalog.createTable", person, params)
    scene.diary.note(
        scene.at(0, 14, 41), "unityCatalog.updateTables", person, {"TRUNCATED": TRUNCATION_MARK}
    )


def _for_the_account(scene: Scene) -> None:
    """Events of the account that are delivered with the workspace's."""
    admin = scene.workspace.people[0]
    params = {"targetUserName": admin.email, "targetUserId": admin.user_id}
    scene.diary.note(
        scene.at(0, 7, 5), "accounts.setAccountAdmin", admin, params, is_account_level=True
    )


def _in_two_parts(scene: Scene) -> None:
    """A request and its response, told as two events of one millisecond and one request id."""
    diary, person = scene.diary, scene.workspace.people[1]
    at_ms = scene.at(0, 16, 20) + scene.chance("two parts").randrange(MINUTE_MS)
    params = {"path": "/Repos/production/nightly", "branch": "main"}
    request = diary.note(at_ms, "repos.pull", person, params, status=None)
    diary.note(at_ms, "repos.pull", person, params, request_id=request)
    diary.note(at_ms + MINUTE_MS, "workspace.getStatus", None, None, request_id=None, status=None)


def _with_capitals(scene: Scene, day: int) -> None:
    """Parameters that some actions spell with a capital, others without."""
    diary, rng = scene.diary, scene.chance("capitals", day)
    person = scene.workspace.people[0]
    source = f"{rng.getrandbits(64):016x}"
    board = f"{rng.getrandbits(128):032x}"
    alert = f"{rng.getrandbits(128):032x}"
    morning = scene.at(day, 9, 20) + rng.randrange(MINUTE_MS)
    for n, (action, params) in enumerate(
        (
            ("executeFastQuery", {"DataSourceId": source}),
            ("executeAdhocQuery", {"dataSourceId": source}),
            ("createRefreshSchedule", {"DashboardId": board}),
            ("updateDashboard", {"dashboardId": board}),
            ("deleteRefreshSchedule", {"AlertId": alert}),
        )
    ):
        diary.note(morning + n * MINUTE_MS, f"databrickssql.{action}", person, params)
