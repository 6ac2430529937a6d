"""What administrators keep: policies, libraries, instance profiles, tokens, init scripts.

Of most kinds one is older than the audit log, one is made on the first day, edited on the
second and gone on the third.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping

from overwatch_assets.demo.company import Cluster, Person
from overwatch_assets.demo.estate import KeptObject, Kind, Version
from overwatch_assets.demo.scene import DAY_MS, MINUTE_MS, SECOND_MS, Scene

AGE_MS = 30 * DAY_MS
"""How long before the first day the older objects were made."""

NEVER = -1
CASUAL = {"pypi": {"package": "holidays==0.57"}}
BROKEN = {"maven": {"coordinates": "com.tidewater:tills-connector:2.1.0"}}
EVERYWHERE = {"jar": "dbfs:/FileStore/jars/tidewater_udf.jar"}

Fields = Mapping[str, object]


def object_days(scene: Scene) -> tuple[KeptObject, ...]:
    """Play the life of every object, those before the end of the world."""
    kept = (
        *_policies(scene),
        *_libraries(scene),
        *_instance_profiles(scene),
        *_tokens(scene),
        *_init_scripts(scene),
    )
    return tuple(
        _before(each, scene.until_ms) for each in kept if each.created.at_ms < scene.until_ms
    )


def secrets_of(scene: Scene) -> dict[tuple[str, str], str]:
    """Secrets of the workspace; the audit log tells who read one, not what it is."""
    rng = scene.chance("secrets")
    robot = scene.workspace.robot
    asked = {"scope": "overwatch", "key": "pat"}
    for day in range(scene.days):
        scene.diary.note(scene.at(day, 6, 0), "secrets.getSecret", robot, asked)
    return {
        ("overwatch", "pat"): f"dapi{rng.getrandbits(128):032x}",
        ("etl", "warehouse-password"): f"{rng.getrandbits(96):024x}",
    }


def _before(kept: KeptObject, until_ms: int) -> KeptObject:
    gone_ms = kept.gone_ms
    return KeptObject(
        kept.kind,
        kept.object_id,
        tuple(version for version in kept.versions if version.at_ms < until_ms),
        gone_ms if gone_ms is not None and gone_ms < until_ms else None,
    )


def _policies(scene: Scene) -> Iterator[KeptObject]:
    diary, people = scene.diary, scene.workspace.people
    old_ms = scene.at(0) - AGE_MS

    def policy(name: str, minutes: int, **others: object) -> Fields:
        definition = {"autotermination_minutes": {"type": "fixed", "value": minutes}}
        return {"name": name, "definition": json.dumps(definition), "is_default": False, **others}

    def id_of(name: object) -> str:
        return f"{scene.chance('policy', name).getrandbits(64):016X}"

    for older in (
        policy("personal-compute", 60, is_default=True, policy_family_id="personal-vm"),
        policy("bi-photon", 60),
        policy("job-standard", 30, description="Clusters for scheduled work"),
    ):
        known = (Version(old_ms, people[0], older),)
        yield KeptObject(Kind.POLICY, id_of(older["name"]), known)
    policy_id = id_of("analysts-small")
    created_ms, edited_ms, gone_ms = scene.at(0, 11, 5), scene.at(1, 10, 20), scene.at(2, 15, 40)
    first = policy("analysts-small", 60, max_clusters_per_user=2, libraries=[CASUAL])
    second = policy("analysts-small", 45, max_clusters_per_user=3, libraries=[CASUAL])
    diary.note(
        created_ms, "clusterPolicies.create", people[1], first, result={"policy_id": policy_id}
    )
    asked = {"policy_id": policy_id}
    diary.note(edited_ms, "clusterPolicies.edit", people[0], {**asked, **second}, result={})
    diary.note(gone_ms, "clusterPolicies.delete", people[0], asked, result={})
    yield KeptObject(
        Kind.POLICY,
        policy_id,
        (Version(created_ms, people[1], first), Version(edited_ms, people[0], second)),
        gone_ms,
    )


def _libraries(scene: Scene) -> Iterator[KeptObject]:
    """One that works and is removed, one that fails, one that is on every cluster."""
    workspace, diary = scene.workspace, scene.diary
    shared, people = workspace.shared, workspace.people
    asked_ms, removed_ms = scene.at(0, 8, 2), scene.at(1, 16, 10)
    told = {"cluster_id": shared.cluster_id, "library": CASUAL}
    diary.note(asked_ms, "clusters.installLibrary", people[2], told, has_objects=True)
    diary.note(removed_ms, "clusters.uninstallLibrary", people[2], told, has_objects=True)
    yield _library(
        shared,
        CASUAL,
        people[2],
        (
            (asked_ms, "PENDING"),
            (asked_ms + 20 * SECOND_MS, "INSTALLING"),
            (asked_ms + 2 * MINUTE_MS, "INSTALLED"),
            (removed_ms, "UNINSTALL_ON_RESTART"),
        ),
        gone_ms=scene.at(2, 7, 55),
    )
    failed_ms = scene.at(0, 9, 15)
    told = {"cluster_id": shared.cluster_id, "library": BROKEN}
    diary.note(failed_ms, "clusters.installLibrary", people[1], told, has_objects=True)
    stages = (
        (failed_ms, "PENDING"),
        (failed_ms + 20 * SECOND_MS, "RESOLVING"),
        (failed_ms + 90 * SECOND_MS, "FAILED"),
    )
    yield _library(shared, BROKEN, people[1], stages)
    for cluster in (shared, workspace.streaming):
        since = scene.at(0) - AGE_MS if cluster == shared else scene.at(0, 0, 9)
        yield _library(
            cluster, EVERYWHERE, people[0], ((since, "INSTALLED"),), is_for_all_clusters=True
        )


def _library(
    cluster: Cluster,
    library: Fields,
    by: Person,
    stages: tuple[tuple[int, str], ...],
    *,
    is_for_all_clusters: bool = False,
    gone_ms: int | None = None,
) -> KeptObject:
    def fields(status: str) -> Fields:
        failed = ["Library resolution failed: the artifact was not found in the repositories."]
        return {
            "cluster_id": cluster.cluster_id,
            "library": library,
            "status": status,
            "is_library_for_all_clusters": is_for_all_clusters,
            "messages": failed if status == "FAILED" else [],
        }

    return KeptObject(
        Kind.LIBRARY,
        f"{cluster.cluster_id}/{json.dumps(library, sort_keys=True)}",
        tuple(Version(at_ms, by, fields(status)) for at_ms, status in stages),
        gone_ms,
    )


def _instance_profiles(scene: Scene) -> Iterator[KeptObject]:
    """Roles of AWS that clusters may take on."""
    admin = scene.workspace.people[0]
    account = f"{scene.chance('aws').randrange(10**11, 10**12)}"
    arn = f"arn:aws:iam::{account}"
    for name, since in (("etl", scene.at(0) - AGE_MS), ("finance", scene.at(1, 9, 30))):
        fields = {
            "iam_role_arn": f"{arn}:role/{name}",
            "is_meta_instance_profile": False,
        }
        profile = f"{arn}:instance-profile/{name}"
        yield KeptObject(Kind.INSTANCE_PROFILE, profile, (Version(since, admin, fields),))
    params = {
        "targetUserId": scene.workspace.robot.user_id,
        "shardName": f"shard-{scene.workspace.region}",
        "resourceId": f"{arn}:instance-profile/finance",
        "aclPermissionSet": [{"permission": "CAN_USE"}],
    }
    scene.diary.note(scene.at(1, 9, 31), "iamRole.changeIamRoleAcl", admin, params)


def _tokens(scene: Scene) -> Iterator[KeptObject]:
    """Tokens of the robot, which is who asks the API; people's are in the audit log only."""
    robot, rng = scene.workspace.robot, scene.chance("tokens")

    def token(
        comment: str, since: int, *, expires_ms: int = NEVER, revoked_ms: int | None = None
    ) -> KeptObject:
        token_id = f"{rng.getrandbits(256):064x}"
        _tell_token(
            scene, robot, token_id, since=since, expires_ms=expires_ms, revoked_ms=revoked_ms
        )
        fields = {"comment": comment, "expiry_time": expires_ms}
        expired_ms = None if expires_ms == NEVER else expires_ms
        gone_ms = expired_ms if revoked_ms is None else revoked_ms
        return KeptObject(Kind.TOKEN, token_id, (Version(since, robot, fields),), gone_ms)

    old_ms = scene.at(0) - AGE_MS
    yield token("ci", old_ms)
    yield token("overwatch", old_ms, expires_ms=old_ms + 365 * DAY_MS)
    yield token("one evening", scene.at(0, 18), expires_ms=scene.at(1, 18))
    yield token("tableau", scene.at(0, 12), revoked_ms=scene.at(2, 9, 10))
    person = scene.workspace.people[1]
    personal = f"{rng.getrandbits(256):064x}"
    _tell_token(
        scene,
        person,
        personal,
        since=scene.at(0, 9, 12),
        expires_ms=scene.at(9, 9),
        revoked_ms=scene.at(1, 9, 12),
    )


def _tell_token(
    scene: Scene,
    owner: Person,
    token_id: str,
    *,
    since: int,
    expires_ms: int,
    revoked_ms: int | None,
) -> None:
    params = {"userId": owner.user_id, "tokenId": token_id, "tokenExpirationTime": expires_ms}
    scene.diary.note(since, "accounts.generateDbToken", owner, params)
    if revoked_ms is not None:
        revoked = {"userId": owner.user_id, "tokenId": token_id}
        scene.diary.note(revoked_ms, "accounts.revokeDbToken", owner, revoked)


def _init_scripts(scene: Scene) -> Iterator[KeptObject]:
    diary, people, rng = scene.diary, scene.workspace.people, scene.chance("init scripts")

    def script(name: str, position: int, text: str, *, enabled: bool) -> dict[str, object]:
        digest = hashlib.sha256(text.encode()).hexdigest()
        return {
            "name": name,
            "position": position,
            "enabled": enabled,
            "script-SHA256": digest,
        }

    proxy = script("proxy", 0, "export http_proxy=http://proxy:3128\n", enabled=True)
    old = Version(scene.at(0) - AGE_MS, people[0], proxy)
    yield KeptObject(Kind.INIT_SCRIPT, f"{rng.getrandbits(64):016X}", (old,))
    script_id = f"{rng.getrandbits(64):016X}"
    created_ms, edited_ms, gone_ms = scene.at(0, 12, 15), scene.at(1, 12, 30), scene.at(2, 12, 45)
    first = script("certificates", 1, "update-ca-certificates\n", enabled=True)
    second = script("certificates", 1, "update-ca-certificates --fresh\n", enabled=False)
    diary.note(
        created_ms, "globalInitScripts.create", people[0], first, result={"script_id": script_id}
    )
    asked = {"script_id": script_id}
    diary.note(edited_ms, "globalInitScripts.update", people[1], {**asked, **second})
    diary.note(gone_ms, "globalInitScripts.delete", people[0], asked)
    yield KeptObject(
        Kind.INIT_SCRIPT,
        script_id,
        (Version(created_ms, people[0], first), Version(edited_ms, people[1], second)),
        gone_ms,
    )
