"""Made-up lives of accounts and notebooks: what the audit log tells of them.

Everything odd is frequent: events of one millisecond that only an address tells apart, users who
are named without a number, records without a user, a request or a notebook, renamings and commands
over midnights, durations that are no numbers, commands that are told twice. A world is a function
of its seed.
"""

import random
import zlib

from overwatch_assets.sources.rest_api.api import Json
from overwatch_assets_tests.laws.cluster_event_world import CLUSTERS
from overwatch_assets_tests.laws.cluster_world import USERS, audit_event, audit_rows
from overwatch_assets_tests.laws.harness import WorldSource
from overwatch_assets_tests.laws.spark_world import DAY, DAYS, HOUR, START

NOTEBOOKS = ("70", "71", "72")
BUSY = CLUSTERS[:2]
"""Clusters on which commands run; of others nobody hears that they are up."""

FOLDERS = ("/Shared", "/Users/maria")
NAMES = ("explore", "report", "trial")
MEMBERS = ("ann@acme.example", "bob@acme.example", "cleo@acme.example")
LOGINS = ("login", "tokenLogin", "samlLogin", "oidcBrowserLogin")
CHANGES = (
    "add",
    "addPrincipalToGroup",
    "removePrincipalFromGroup",
    "setAdmin",
    "updateUser",
    "delete",
)
SECONDS = ("0", "13.789", "600", "5400", "20000", "50000", "100000", "-3", "soon", None)
"""Durations of commands, as they are told."""


def account_sources(seed: int, days: int = len(DAYS)) -> dict[str, WorldSource]:
    """Audit events of accounts and notebooks, by the name of their source."""
    pick = random.Random(f"accounts {seed}")  # noqa: S311 - no secret
    told = [
        *(_login(pick, days) for _ in range(12)),
        *(_change(pick, days) for _ in range(14)),
        *(each for _ in range(70) for each in _to_notebook(pick, days)),
    ]
    until = START + days * DAY
    kept = [event for event in told if int(str(event["timestamp"])) < until]
    return {"audit_logs": WorldSource(audit_rows(kept), "timestamp")}


def _login(pick: random.Random, days: int) -> Json:
    at, user = instant(pick, days), pick.choice([*USERS, "dbadmin", None])
    action = pick.choice(LOGINS)
    params: Json = {"user": user}
    what = f"accounts.{action}"
    if pick.random() < 0.3:
        params = {"instanceId": "i-1", "port": 2200, "userName": "ubuntu"}
        what = "ssh.login"
    told = audit_event(
        at, what, params, status=pick.choice([200, 200, 401]), user=user, request=_request(pick)
    )
    return _from_an_address(pick, told)


def _change(pick: random.Random, days: int) -> Json:
    """A change of an account; some name the user without a number, some name nobody."""
    member = pick.choice([*MEMBERS, None])
    has_number = pick.random() < 0.4
    params: Json = {
        "endpoint": pick.choice(["scim", "adminConsole"]),
        "targetUserName": member,
        "targetUserId": pick.choice([1, 2, 3]) if has_number else None,
        "targetGroupName": pick.choice(["analysts", None]),
    }
    told = audit_event(
        instant(pick, days),
        f"accounts.{pick.choice([*CHANGES, 'logout'])}",
        params,
        status=pick.choice([200, 200, 403]),
        user=pick.choice(USERS),
        request=_request(pick),
    )
    return _from_an_address(pick, told)


def _to_notebook(pick: random.Random, days: int) -> list[Json]:
    """Something that is done to a notebook; a command now and then is told twice."""
    at, folder, name = instant(pick, days), pick.choice(FOLDERS), pick.choice(NAMES)
    action = pick.choice(
        ["createNotebook", "renameNotebook", "moveNotebook", "attachNotebook", "openNotebook",
         "deleteNotebook", *["runCommand"] * 4],
    )  # fmt: skip
    notebook = pick.choice([*NOTEBOOKS, None]) if pick.random() < 0.3 else pick.choice(NOTEBOOKS)
    params: Json = {"notebookId": notebook}
    match action:
        case "createNotebook":
            params |= {"notebookName": pick.choice([name, None]), "path": f"{folder}/{name}"}
        case "renameNotebook":
            params |= {"newName": name, "parentPath": pick.choice([folder, None])}
        case "moveNotebook":
            params |= {"newPath": f"{folder}/{name}", "parentPath": folder}
        case "attachNotebook":
            params |= {"path": f"{folder}/{name}", "clusterId": pick.choice(CLUSTERS)}
        case "runCommand":
            params |= {
                "commandId": pick.choice([f"c-{pick.randrange(10**6)}"] * 9 + [None]),
                "commandText": "display(1)",
                "executionTime": pick.choice(SECONDS),
                "status": "finished",
                "clusterId": pick.choice([*BUSY, None]),
            }
        case _:
            pass
    told = audit_event(
        at,
        f"notebook.{action}",
        params,
        status=pick.choice([200, 200, 200, 403]),
        user=pick.choice([*USERS, None]),
        request=_request(pick),
    )
    if action == "runCommand" and pick.random() < 0.2:
        return [told, {**told, "requestId": "again", "hashKey": 1}]
    return [told]


def _request(pick: random.Random) -> str | None:
    return pick.choice([None, f"r-{pick.randrange(99)}"])


def _from_an_address(pick: random.Random, event: Json) -> Json:
    address = pick.choice(["10.0.0.1", "10.0.0.2", None])
    told = f"{event['hashKey']} {address}"
    return {**event, "sourceIPAddress": address, "hashKey": zlib.crc32(told.encode())}


def instant(pick: random.Random, days: int) -> int:
    """Often a midnight, the last millisecond of a day or a full hour: ties occur."""
    at = START + pick.randrange(days * DAY)
    chance = pick.random()
    if chance < 0.2:
        return at // DAY * DAY
    if chance < 0.3:
        return at // DAY * DAY + DAY - 1
    return at // HOUR * HOUR if chance < 0.6 else at
