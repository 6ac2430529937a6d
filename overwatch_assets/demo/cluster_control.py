"""Does things to clusters: the cluster's life goes on and the audit log notes it."""

from dataclasses import replace
from datetime import UTC, datetime

from overwatch_assets.demo.audit_diary import SYSTEM
from overwatch_assets.demo.cluster_life import ClusterLife, Details, Version, reason
from overwatch_assets.demo.cluster_spec import ClusterSpec, audit_params
from overwatch_assets.demo.company import Person, cluster_id, digits
from overwatch_assets.demo.ledger import Gap
from overwatch_assets.demo.scene import SECOND_MS, Scene

RUNNING_BEFORE_RESULT_MS = 400
HEALTHY_AFTER_MS = 1500
RESTART_GAP_MS = 25 * SECOND_MS


class ClusterControl:
    """Does things to one cluster, in the order of time."""

    def __init__(self, scene: Scene, subject: str, spec: ClusterSpec, created_ms: int) -> None:
        """Name a cluster that is about to be created.

        Args:
            scene: Where it lives.
            subject: What its chance is drawn for.
            spec: Its first configuration.
            created_ms: When it will be created; the id tells it.
        """
        self._scene = scene
        self._rng = scene.chance("cluster", subject)
        self._diary = scene.diary_of("cluster", subject)
        created = datetime.fromtimestamp(created_ms / 1000, tz=UTC)
        self.life = ClusterLife(
            cluster_id(self._rng, created), scene.workspace.region, [Version(created_ms, spec)]
        )
        scene.ledger.all_lives.append(self.life)

    def create(self, by: Person, ready_ms: int | None) -> None:
        """Create it; it is up at `ready_ms`. None: it never comes up."""
        life, at_ms = self.life, self.life.created_ms
        request = self._diary.note(
            at_ms,
            "clusters.create",
            by,
            audit_params(life.spec, self._scene.workspace) | {"start_cluster": True},
            result={"cluster_id": life.cluster_id},
        )
        life.creating(self._soon(at_ms), self._context(), by.email)
        if ready_ms is not None:
            self._come_up(at_ms, ready_ms, life.spec.min_workers)
            self._result(ready_ms, "createResult", "Running", request)

    def start(self, at_ms: int, by: Person, ready_ms: int) -> None:
        """Start it again."""
        request = self._ask(at_ms, "start", by)
        self.life.starting(self._soon(at_ms), self._context(), by.email)
        self._come_up(at_ms, ready_ms, self.life.spec.min_workers)
        self._result(ready_ms, "startResult", "Running", request)

    def restart(self, at_ms: int, by: Person, ready_ms: int, *, with_start: bool = False) -> None:
        """Restart it; with `with_start` a STARTING event follows though nothing stopped."""
        request = self._ask(at_ms, "restart", by)
        life, told_ms = self.life, self._soon(at_ms)
        workers = life.last.current
        life.restarting(told_ms, self._context(), by.email)
        if with_start:
            self.gap("restart_with_start", told_ms)
            life.starting(told_ms + RESTART_GAP_MS, life.boots[-1].context_id, by.email)
            workers = life.spec.min_workers
        life.running(ready_ms - RUNNING_BEFORE_RESULT_MS, workers)
        self._result(ready_ms, "restartResult", "Running", request)

    def edit(self, at_ms: int, by: Person, spec: ClusterSpec) -> None:
        """Save another configuration."""
        params = audit_params(spec, self._scene.workspace)
        self._diary.note(
            at_ms,
            "clusters.edit",
            by,
            params | {"cluster_id": self.life.cluster_id},
            result={},
        )
        self.life.edited(at_ms, self._soon(at_ms), spec, by.email)

    def resize(self, at_ms: int, by: Person, workers: int, done_ms: int) -> None:
        """Give a cluster of fixed size another size."""
        params = {"cluster_id": self.life.cluster_id, "num_workers": workers}
        cause = {"cause": "USER_REQUEST"}
        request = self._diary.note(at_ms, "clusters.resize", by, params | cause, result={})
        sized = replace(self.life.spec, min_workers=workers, max_workers=workers)
        self.life.versions.append(Version(at_ms, sized))
        self.life.resizing(self._soon(at_ms), workers, "USER_REQUEST", by.email)
        self._resized(done_ms - RUNNING_BEFORE_RESULT_MS, workers)
        self._result(done_ms, "resizeResult", "Running", request)

    def scale(self, at_ms: int, workers: int, done_ms: int, cause: str = "AUTOSCALE") -> None:
        """The cluster gets another number of workers by itself."""
        self.life.resizing(at_ms, workers, cause)
        self._resized(done_ms, workers)

    def lose(self, at_ms: int, workers: int, back_ms: int, cause: str = "AUTORECOVERY") -> None:
        """Workers are lost, that many are left; they are replaced."""
        wanted = self.life.last.current
        self.life.nodes_lost(at_ms, workers)
        self.life.resizing(at_ms + 3 * SECOND_MS, wanted, cause)
        self.life.upsized(back_ms, wanted)

    def stop(self, at_ms: int, by: Person, done_ms: int) -> None:
        """Somebody terminates it."""
        request = self._ask(at_ms, "delete", by)
        why = reason("USER_REQUEST", username=by.email)
        self.life.terminating(self._soon(at_ms), done_ms, why, by=by.email)
        self._result(done_ms, "deleteResult", "Terminated", request)

    def expire(self, at_ms: int, done_ms: int, *, is_lost: bool = False) -> None:
        """It terminates because nobody used it; the event may be lost."""
        minutes = str(self.life.spec.autotermination_minutes)
        why = reason("INACTIVITY", inactivity_duration_min=minutes)
        self._end(at_ms, done_ms, why, is_lost=is_lost)

    def finish(self, at_ms: int, done_ms: int, *, is_lost: bool = False) -> None:
        """It terminates because its run is over; the event may be lost."""
        name = self.life.spec.name
        self._end(at_ms, done_ms, reason("JOB_FINISHED"), run_name=name, is_lost=is_lost)

    def fail(self, at_ms: int, done_ms: int, code: str, kind: str) -> None:
        """It terminates because something went wrong."""
        self._end(at_ms, done_ms, reason(code, kind, databricks_error_message="see the driver log"))

    def delete_for_good(self, at_ms: int, by: Person) -> None:
        """Delete it permanently; a running cluster ends with it."""
        self._ask(at_ms, "permanentDelete", by)
        self.gap("permanently_deleted", at_ms)
        self.life.deleted_ms = at_ms

    def share(self, at_ms: int, by: Person, with_whom: Person) -> None:
        """Change who may use it."""
        params = {
            "resourceId": self.life.cluster_id,
            "targetUserId": with_whom.user_id,
            "aclPermissionSet": [{"permission": "CAN_RESTART"}],
        }
        self._diary.note(at_ms, "clusters.changeClusterAcl", by, params)

    def notice(self, at_ms: int, kind: str, details: Details | None = None) -> None:
        """Something happens that changes neither machines nor workers."""
        self.life.notice(at_ms, kind, details or {})

    def gap(self, kind: str, at_ms: int) -> None:
        """Write down that telemetry will not tell something, or tells it wrongly."""
        self._scene.ledger.gaps.append(Gap(kind, self.life.cluster_id, at_ms))

    def _come_up(self, at_ms: int, ready_ms: int, workers: int) -> None:
        life = self.life
        if life.spec.init_script is not None:
            scripts = {
                "init_scripts": {"reported_for_node": f"i-{self._rng.getrandbits(32):08x}"},
            }
            begun = (at_ms + 2 * ready_ms) // 3
            life.notice(begun, "INIT_SCRIPTS_STARTED", scripts)
            life.notice((begun + ready_ms) // 2, "INIT_SCRIPTS_FINISHED", scripts)
        life.running(ready_ms - RUNNING_BEFORE_RESULT_MS, workers)
        life.notice(ready_ms + HEALTHY_AFTER_MS, "DRIVER_HEALTHY", {})

    def _resized(self, done_ms: int, workers: int) -> None:
        if workers > self.life.last.current:
            self.life.upsized(done_ms, workers)
        else:
            self.life.decommissioned(done_ms, workers)

    def _end(
        self,
        at_ms: int,
        done_ms: int,
        why: Details,
        *,
        run_name: str | None = None,
        is_lost: bool = False,
    ) -> None:
        if is_lost:
            self.gap("lost_termination", at_ms)
        self.life.terminating(at_ms, done_ms, why, run_name=run_name, is_lost=is_lost)
        self._result(done_ms, "deleteResult", "Terminated", self._diary.new_id())

    def _ask(self, at_ms: int, action: str, by: Person) -> str | None:
        params = {"cluster_id": self.life.cluster_id}
        return self._diary.note(at_ms, f"clusters.{action}", by, params, result={})

    def _result(self, at_ms: int, action: str, state: str, request: str | None) -> None:
        life = self.life
        params = {
            "clusterId": life.cluster_id,
            "clusterName": life.spec.name,
            "clusterState": state,
            "clusterWorkers": life.last.current if state == "Running" else 0,
            "clusterOwnerUserId": life.spec.owner.user_id,
        }
        self._diary.note(at_ms, f"clusters.{action}", SYSTEM, params, request_id=request)

    def _soon(self, at_ms: int) -> int:
        return at_ms + self._rng.randrange(80, 700)

    def _context(self) -> str:
        return str(digits(self._rng, 19))
