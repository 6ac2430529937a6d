"""Who comes in, who is let in, and who may do what: logins, accounts, permissions.

People's daily `samlLogin` and the tokens of job runs are told where the work itself is played;
here are the other ways in, those who are turned away, and a contractor's stay: added on the
first day, made an administrator by mistake, removed on the third.
"""

from collections.abc import Mapping

from overwatch_assets.demo.company import Person, digits
from overwatch_assets.demo.scene import HOUR_MS, MINUTE_MS, Scene

ADMIN_OF_DATABRICKS = "dbadmin"
INSIDE = "10.68.0.9"
ELSEWHERE = "198.51.100.77"
ANALYSTS = {"targetGroupId": 77, "targetGroupName": "analysts"}
ADMINS = {"targetGroupId": 1, "targetGroupName": "admins"}


def account_days(scene: Scene) -> None:
    """Tell every day's logins, and what happens to the accounts."""
    contractor = _contractor(scene)
    for day in range(scene.days):
        _logins(scene, day)
        _turned_away(scene, day)
        _shells(scene, day)
    _stay(scene, contractor)
    _permissions(scene, contractor)


def _contractor(scene: Scene) -> Person:
    rng = scene.chance("contractor")
    address = f"192.0.2.{rng.randrange(1, 255)}"
    return Person("rui.contractor@brightwater.example", digits(rng, 13), address)


def _logins(scene: Scene, day: int) -> None:
    """The ways in that Databricks knows; its own administrator comes at night."""
    diary, workspace, rng = scene.diary, scene.workspace, scene.chance("logins", day)
    morning = scene.at(day, 8)
    for person in workspace.people:
        at_ms = morning + rng.randrange(HOUR_MS)
        diary.note(at_ms, "accounts.oidcBrowserLogin", person, {"user": person.email})
        for _ in range(scene.times(2, least=1)):
            params = {"user": person.email, "tokenId": f"{rng.getrandbits(64):016x}"}
            diary.note(at_ms + rng.randrange(8 * HOUR_MS), "accounts.tokenLogin", person, params)
    robot = workspace.robot
    params = {"user": robot.email, "authenticationMethod": "JWT"}
    diary.note(scene.at(day, 2, 30), "accounts.jwtLogin", robot, params)
    night = scene.at(day, 3) + rng.randrange(MINUTE_MS)
    params = {"user": ADMIN_OF_DATABRICKS}
    diary.note(night, "accounts.login", ADMIN_OF_DATABRICKS, params, address=INSIDE)


def _turned_away(scene: Scene, day: int) -> None:
    """A wrong password before the right one, a token from elsewhere, somebody unknown."""
    diary, workspace, rng = scene.diary, scene.workspace, scene.chance("turned away", day)
    person, robot = workspace.people[2], workspace.robot
    at_ms = scene.at(day, 7, 50) + rng.randrange(5 * MINUTE_MS)
    params = {"user": person.email}
    diary.note(
        at_ms, "accounts.login", person, params, status=401, error="Invalid username or password"
    )
    diary.note(at_ms + 20_000, "accounts.login", person, params)
    diary.note(
        scene.at(day, 4, 10) + rng.randrange(MINUTE_MS),
        "accounts.tokenLogin",
        robot,
        {"user": robot.email, "tokenId": f"{rng.getrandbits(64):016x}"},
        status=403,
        error=f"Source IP address: {ELSEWHERE} is blocked by the IP access list",
        address=ELSEWHERE,
    )
    diary.note(
        scene.at(day, 5, 20) + rng.randrange(MINUTE_MS),
        "accounts.samlLogin",
        None,
        {"user": "nobody@elsewhere.example"},
        status=401,
        error="No such user",
        address=ELSEWHERE,
    )


def _shells(scene: Scene, day: int) -> None:
    """Two shells opened in one millisecond by one script; only the addresses differ."""
    rng = scene.chance("shells", day)
    at_ms = scene.at(day, 15, 5) + rng.randrange(MINUTE_MS)
    params = {
        "containerId": f"c-{rng.getrandbits(24):06x}",
        "instanceId": f"i-{rng.getrandbits(48):012x}",
        "port": 2200,
        "publicKey": f"SHA256:{rng.getrandbits(64):016x}",
        "user": "ubuntu",
        "userName": "collector",
        "host": "driver",
    }
    for address in (INSIDE, ELSEWHERE):
        scene.diary.note(at_ms, "ssh.login", None, params, request_id=None, address=address)


def _stay(scene: Scene, contractor: Person) -> None:
    """The contractor's account: some records name the user without a number."""
    people = scene.workspace.people
    admin, named = people[0], {"targetUserName": contractor.email}
    numbered = {**named, "targetUserId": contractor.user_id}

    def tell(at_ms: int, action: str, params: Mapping[str, object], by: Person = admin) -> None:
        scene.diary.note(at_ms, f"accounts.{action}", by, params)

    tell(scene.at(0, 10), "add", {"endpoint": "adminConsole", **named})
    tell(scene.at(0, 10, 2), "updateUser", {"endpoint": "scim", **numbered})
    tell(scene.at(0, 10, 5), "addPrincipalToGroup", {"endpoint": "scim", **numbered, **ANALYSTS})
    tell(scene.at(0, 10, 30), "aadBrowserLogin", {"user": contractor.email}, contractor)
    tell(scene.at(1, 9), "aadTokenLogin", {"user": contractor.email}, contractor)
    tell(scene.at(1, 11, 15), "setAdmin", {"endpoint": "roleAssignment", **named})
    tell(scene.at(1, 11, 40), "removePrincipalFromGroup", {"endpoint": "scim", **named, **ADMINS})
    tell(scene.at(2, 17), "delete", {"endpoint": "adminConsole", **numbered})
    robot = scene.workspace.robot
    found = {"targetUserName": robot.email, "targetUserId": robot.user_id}
    tell(scene.at(0, 0, 2), "add", {"endpoint": "autoUserCreation", **found})
    scene.diary.note(
        scene.at(0, 16, 45),
        "accounts.setAdmin",
        contractor,
        {"endpoint": "adminConsole", **numbered},
        status=403,
        error="PERMISSION_DENIED: only administrators may do this",
    )


def _permissions(scene: Scene, contractor: Person) -> None:
    """Permissions on a cluster, a job and on tokens."""
    workspace, admin = scene.workspace, scene.workspace.people[0]
    shard = {"shardName": f"shard-{workspace.region}", "targetUserId": contractor.user_id}

    def change(at_ms: int, what: str, resource: object, permission: str) -> None:
        params = {
            **shard,
            "resourceId": resource,
            "aclPermissionSet": [{"permission": permission}],
        }
        scene.diary.note(at_ms, what, admin, params)

    job = workspace.jobs[0]
    cluster_id = workspace.shared.cluster_id
    change(scene.at(0, 10, 8), "clusters.changeClusterAcl", cluster_id, "CAN_ATTACH_TO")
    change(scene.at(0, 10, 9), "jobs.changeJobAcl", job.job_id, "CAN_VIEW")
    change(scene.at(1, 11, 20), "accounts.changeDbTokenAcl", "authorization/tokens", "CAN_USE")
    grants = [{"permission": "IS_OWNER", "user_id": workspace.robot.user_id}]
    params = {"resourceId": job.job_id, "grants": grants, "shardName": shard["shardName"]}
    scene.diary.note(scene.at(2, 17, 5), "jobs.resetJobAcl", admin, params)
