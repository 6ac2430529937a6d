"""What a workspace's audit log notes: one method per thing that people and Databricks do.

Times and people come from the simulation; the parameters are those Databricks writes, with
their natural types. How they are spelled in a file is the emitter's matter.
"""

import random
import uuid
from collections.abc import Mapping
from dataclasses import replace

from overwatch_assets.demo.cluster_spec import audit_params, spec_of
from overwatch_assets.demo.company import Cluster, Job, Notebook, Person, Workspace
from overwatch_assets.demo.job_definitions import cast_settings
from overwatch_assets.demo.world import AuditAction

SYSTEM = "System-User"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/129.0 Safari/537.36"
CLIENT = "databricks-sdk-py/0.63.0 python/3.11.9 os/linux auth/oauth-m2m"

Params = Mapping[str, object]


class AuditDiary:
    """The actions of a workspace, in the order they are told."""

    def __init__(self, workspace: Workspace, rng: random.Random) -> None:
        """Begin an empty diary."""
        self._workspace = workspace
        self._rng = rng
        self._actions: list[AuditAction] = []
        self._sessions = {
            person.email: f"{rng.getrandbits(40):010x}" for person in workspace.people
        }

    def actions(self, until_ms: int) -> tuple[AuditAction, ...]:
        """Everything noted before an instant, in the order of time."""
        before = (action for action in self._actions if action.at_ms < until_ms)
        return tuple(sorted(before, key=lambda action: action.at_ms))

    def note(
        self,
        at_ms: int,
        what: str,
        by: Person | str | None,
        params: Params | None,
        *,
        request_id: str | None = "",
        status: int | None = 200,
        error: str | None = None,
        result: Params | None = None,
        has_objects: bool = False,
        address: str | None = None,
        is_account_level: bool = False,
    ) -> str | None:
        """Note an action, `service.action`; an empty request id is drawn.

        Without an address it comes from the person's.

        Returns:
            The request id, for the result that follows the request.
        """
        if not request_id and request_id is not None:
            request_id = self.new_id()
        service, action = what.split(".")
        person = by if isinstance(by, Person) else None
        is_robot = person == self._workspace.robot
        self._actions.append(
            AuditAction(
                at_ms=at_ms,
                service=service,
                action=action,
                by=person.email if person else (by if isinstance(by, str) else None),
                params=params,
                request_id=request_id,
                session_id=self._sessions.get(person.email) if person else None,
                address=person.address if person and address is None else address,
                user_agent=None if person is None else CLIENT if is_robot else BROWSER,
                status=status,
                error=error,
                result=result,
                has_objects=has_objects,
                is_account_level=is_account_level,
            )
        )
        return request_id

    def new_id(self) -> str:
        """Draw a UUID."""
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))

    def logged_in(self, at_ms: int, person: Person) -> None:
        """A person opens the workspace, a robot gets a token."""
        is_robot = person == self._workspace.robot
        action = "tokenLogin" if is_robot else "samlLogin"
        self.note(at_ms, f"accounts.{action}", person, {"user": person.email})

    def logged_out(self, at_ms: int, person: Person) -> None:
        """A person leaves; such records carry no parameters at all."""
        self.note(at_ms, "accounts.logout", person, None)

    def logged_in_by_ssh(self, at_ms: int, person: Person, host: str) -> None:
        """Somebody opens a shell on a driver; such records have no request id."""
        params = {
            "containerId": f"c-{self._rng.getrandbits(24):06x}",
            "instanceId": f"i-{self._rng.getrandbits(48):012x}",
            "port": 2200,
            "publicKey": f"SHA256:{self._rng.getrandbits(64):016x}",
            "user": "ubuntu",
            "userName": person.email.split("@", maxsplit=1)[0],
            "host": host,
        }
        self.note(at_ms, "ssh.login", None, params, request_id=None)

    def cluster_created(
        self, at_ms: int, cluster: Cluster, by: Person | str, ready_ms: int
    ) -> None:
        """A cluster is made and comes up."""
        request = self.note(
            at_ms,
            "clusters.create",
            by,
            self._cluster_params(cluster) | {"start_cluster": True},
            result={"cluster_id": cluster.cluster_id},
        )
        self._cluster_result(ready_ms, "createResult", cluster, "Running", request)

    def cluster_refused(self, at_ms: int, cluster: Cluster, by: Person) -> None:
        """A cluster can't be made: no id, no result."""
        self.note(
            at_ms,
            "clusters.create",
            by,
            self._cluster_params(cluster),
            status=400,
            error="QUOTA_EXCEEDED: the account may not use more cores of this type",
        )

    def cluster_edited(
        self, at_ms: int, cluster: Cluster, by: Person, destination: str | None
    ) -> None:
        """A cluster's configuration is saved."""
        moved = replace(cluster, log_destination=destination)
        params = self._cluster_params(moved) | {"cluster_id": cluster.cluster_id}
        self.note(at_ms, "clusters.edit", by, params, result={})

    def cluster_asked(
        self, at_ms: int, action: str, cluster: Cluster, by: Person, done_ms: int
    ) -> None:
        """Somebody starts, restarts or stops (`delete`) a cluster, which then happens."""
        params = {"cluster_id": cluster.cluster_id}
        request = self.note(at_ms, f"clusters.{action}", by, params, result={})
        state = "Terminated" if action == "delete" else "Running"
        self._cluster_result(done_ms, f"{action}Result", cluster, state, request)

    def cluster_expired(self, at_ms: int, cluster: Cluster) -> None:
        """A cluster stops by itself: nobody asked."""
        self._cluster_result(at_ms, "deleteResult", cluster, "Terminated", self.new_id())

    def notebook_attached(
        self, at_ms: int, notebook: Notebook, cluster: Cluster, by: Person
    ) -> None:
        """A notebook is attached to a cluster."""
        params = {
            "notebookId": notebook.notebook_id,
            "clusterId": cluster.cluster_id,
            "path": notebook.path,
        }
        self.note(at_ms, "notebook.attachNotebook", by, params)

    def notebook_created(self, at_ms: int, notebook: Notebook) -> None:
        """A notebook is made."""
        params = {
            "notebookId": notebook.notebook_id,
            "notebookName": notebook.name,
            "path": notebook.path,
        }
        self.note(at_ms, "notebook.createNotebook", notebook.owner, params)

    def notebook_renamed(self, at_ms: int, notebook: Notebook, new_name: str) -> None:
        """A notebook gets another name."""
        params = {
            "notebookId": notebook.notebook_id,
            "oldName": notebook.name,
            "newName": new_name,
            "parentPath": notebook.path.rsplit("/", 1)[0],
        }
        self.note(at_ms, "notebook.renameNotebook", notebook.owner, params)

    def job_created(self, at_ms: int, job: Job) -> None:
        """A job is defined."""
        params = {
            **cast_settings(job, self._workspace),
            "job_type": "NORMAL",
            "access_control_list": [{"user_name": job.owner.email, "permission_level": "IS_OWNER"}],
            "is_from_dlt": False,
        }
        self.note(at_ms, "jobs.create", job.owner, params, result={"job_id": job.job_id})

    def run_asked(self, at_ms: int, job: Job, run_id: int, by: Person) -> None:
        """Somebody starts a job by hand."""
        params = {"job_id": job.job_id, "notebook_params": {"mode": "full"}}
        result = {"run_id": run_id, "number_in_job": run_id}
        self.note(at_ms, "jobs.runNow", by, params, result=result)

    def run_triggered(self, at_ms: int, job: Job, run_id: int) -> None:
        """The schedule starts a job."""
        params = {"jobId": job.job_id, "jobTriggerType": "cron", "runId": run_id}
        self.note(at_ms, "jobs.runTriggered", job.owner, params)

    def run_told(
        self,
        at_ms: int,
        action: str,
        job: Job,
        run_id: int,
        *,
        parent_run_id: int | None,
        task_key: str,
        cluster: Cluster,
        depends_on: tuple[str, ...] = (),
    ) -> None:
        """A run, or the run of one of its tasks, starts (`runStart`) or ends."""
        params: dict[str, object] = {
            "jobId": job.job_id,
            "runId": run_id,
            "idInJob": run_id,
            "multitaskParentRunId": parent_run_id,
            "parentRunId": parent_run_id,
            "taskKey": task_key,
            "taskDependencies": list(depends_on),
            "jobTriggerType": "cron" if job.is_scheduled else "manual",
            "jobTaskType": "notebook",
            "jobClusterType": "existing" if cluster.source == "UI" else "job_cluster",
            "repairId": None,
        }
        error = None
        if action == "runStart":
            params["clusterId"] = cluster.cluster_id
        else:
            params["jobTerminalState"] = action.removeprefix("run")
            error = "Workload failed, see run output" if action == "runFailed" else None
        self.note(at_ms, f"jobs.{action}", "unknown", params, error=error)

    def _cluster_result(
        self, at_ms: int, action: str, cluster: Cluster, state: str, request_id: str | None
    ) -> None:
        params = {
            "clusterId": cluster.cluster_id,
            "clusterName": cluster.name,
            "clusterState": state,
            "clusterWorkers": cluster.min_workers if state == "Running" else 0,
            "clusterOwnerUserId": cluster.owner.user_id,
        }
        self.note(at_ms, f"clusters.{action}", SYSTEM, params, request_id=request_id)

    def _cluster_params(self, cluster: Cluster) -> dict[str, object]:
        return audit_params(spec_of(cluster), self._workspace)
