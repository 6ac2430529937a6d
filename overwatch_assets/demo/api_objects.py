"""What the REST API answers about everything but clusters, jobs and pools, at an instant.

The methods have the names and shapes of `emulator.workspace.EmulatedWorkspace`; whoever puts a
workspace together takes these from here. An answer holds what happened before `now_ms`, and
nothing happens after the end of the world.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from overwatch_assets.demo.company import Workspace
from overwatch_assets.demo.estate import (
    Estate,
    KeptObject,
    Kind,
    SqlQuery,
    Version,
    Warehouse,
    WarehouseState,
    WarehouseStatus,
)

Json = dict[str, object]

CHANNEL: Json = {"name": "CHANNEL_NAME_CURRENT"}
CHANNEL_USED: Json = {**CHANNEL, "dbsql_version": "2026.25"}
QUICK_MS = 1000
"""Of quicker queries no plan is kept."""

SCALED = (WarehouseStatus.SCALED_UP, WarehouseStatus.SCALED_DOWN)


@dataclass(frozen=True, slots=True)
class ApiObjects:
    """The answers of one workspace.

    Attributes:
        until_ms: End of the world: what ran then runs for ever, but does not get older.
    """

    workspace: Workspace
    account_id: str
    estate: Estate
    until_ms: int

    def policies(self, now_ms: int) -> Sequence[Json]:
        """`policies/clusters/list`."""
        return [
            {
                "policy_id": kept.object_id,
                "creator_user_name": kept.created.by.email,
                "created_at_timestamp": kept.created.at_ms,
                **version.fields,
            }
            for kept, version in self._kept(Kind.POLICY, now_ms)
        ]

    def library_statuses(self, now_ms: int) -> Sequence[Json]:
        """`libraries/all-cluster-statuses`."""
        by_cluster: dict[object, list[Json]] = defaultdict(list)
        for _, version in self._kept(Kind.LIBRARY, now_ms):
            status = dict(version.fields)
            by_cluster[status.pop("cluster_id")].append(status)
        return [
            {"cluster_id": cluster_id, "library_statuses": statuses}
            for cluster_id, statuses in by_cluster.items()
        ]

    def instance_profiles(self, now_ms: int) -> Sequence[Json]:
        """`instance-profiles/list`."""
        return [
            {"instance_profile_arn": kept.object_id, **version.fields}
            for kept, version in self._kept(Kind.INSTANCE_PROFILE, now_ms)
        ]

    def tokens(self, now_ms: int) -> Sequence[Json]:
        """`token/list`: those of whoever asks, the robot."""
        return [
            {
                "token_id": kept.object_id,
                "creation_time": kept.created.at_ms,
                **version.fields,
            }
            for kept, version in self._kept(Kind.TOKEN, now_ms)
        ]

    def init_scripts(self, now_ms: int) -> Sequence[Json]:
        """`global-init-scripts`; the list tells nothing of their text."""
        return [
            {
                "script_id": kept.object_id,
                "name": version.fields["name"],
                "position": version.fields["position"],
                "enabled": version.fields["enabled"],
                "created_by": kept.created.by.email,
                "created_at": kept.created.at_ms,
                "updated_by": version.by.email,
                "updated_at": version.at_ms,
            }
            for kept, version in self._kept(Kind.INIT_SCRIPT, now_ms)
        ]

    def warehouses(self, now_ms: int) -> Sequence[Json]:
        """`sql/warehouses`."""
        return [
            self._warehouse(each, state, now_ms)
            for each in self.estate.warehouses
            if (state := each.state_at(now_ms)) is not None
        ]

    def warehouse_events(self, now_ms: int) -> Sequence[Json]:
        """Rows of `system.compute.warehouse_events`, the system table, for this workspace."""
        return [row for at_ms, row in self.delivered_warehouse_events() if at_ms < now_ms]

    def delivered_warehouse_events(self) -> Iterator[tuple[int, Json]]:
        """The same, with the instant of each."""
        for warehouse in self.estate.warehouses:
            for state in warehouse.states:
                yield (
                    state.since_ms,
                    {
                        "account_id": self.account_id,
                        "workspace_id": self.workspace.workspace_id,
                        "warehouse_id": warehouse.warehouse_id,
                        "event_type": state.status.value,
                        "cluster_count": state.clusters,
                        "event_time": _iso(state.since_ms),
                    },
                )

    def queries(self, now_ms: int) -> Sequence[Json]:
        """`sql/history/queries`: every query that has started, as it stands now."""
        return [
            self._query(each, now_ms) for each in self.estate.queries if each.submitted_ms < now_ms
        ]

    def secrets(self) -> Mapping[tuple[str, str], str]:
        """Secrets by scope and key."""
        return self.estate.secrets

    def _kept(self, kind: Kind, now_ms: int) -> Iterator[tuple[KeptObject, Version]]:
        for kept in self.estate.objects:
            version = kept.at(now_ms)
            if kept.kind is kind and version is not None:
                yield kept, version

    def _warehouse(self, warehouse: Warehouse, state: WarehouseState, now_ms: int) -> Json:
        settings, warehouse_id = warehouse.settings_at(now_ms), warehouse.warehouse_id
        status = WarehouseStatus.RUNNING if state.status in SCALED else state.status
        host = self.workspace.api_url.removeprefix("https://")
        path = f"/sql/1.0/warehouses/{warehouse_id}"
        sessions = {
            query.session_id
            for query in self.estate.queries
            if query.warehouse_id == warehouse_id and _is_open(query, now_ms)
        }
        return {
            "id": warehouse_id,
            "name": settings.name,
            "size": settings.size.upper().replace("2X-", "XX").replace("X-", "X"),
            "cluster_size": settings.size,
            "min_num_clusters": settings.min_clusters,
            "max_num_clusters": settings.max_clusters,
            "auto_stop_mins": settings.auto_stop_minutes,
            "auto_resume": True,
            "creator_name": warehouse.creator.email,
            "creator_id": warehouse.creator.user_id,
            "tags": {
                "custom_tags": [
                    {"key": key, "value": value} for key, value in settings.tags.items()
                ]
            },
            "spot_instance_policy": settings.spot_policy,
            "enable_photon": True,
            "enable_serverless_compute": False,
            "warehouse_type": settings.warehouse_type,
            "num_clusters": state.clusters,
            "num_active_sessions": len(sessions),
            "state": status.value,
            "health": {"status": "HEALTHY"},
            "channel": CHANNEL,
            "jdbc_url": f"jdbc:spark://{host}:443/default;transportMode=http;ssl=1;AuthMech=3;"
            f"httpPath={path};",
            "odbc_params": {"hostname": host, "path": path, "protocol": "https", "port": 443},
        }

    def _query(self, query: SqlQuery, now_ms: int) -> Json:
        ended_ms = _if_known(query.ended_ms, now_ms)
        fetched_ms = _if_known(query.fetched_ms, now_ms)
        is_quick = ended_ms is not None and ended_ms - query.submitted_ms < QUICK_MS
        answer: Json = {
            "query_id": query.query_id,
            "status": _status(query, now_ms),
            "query_text": query.statement.text,
            "statement_type": query.statement.kind,
            "query_start_time_ms": query.submitted_ms,
            "user_id": query.user.user_id,
            "user_name": query.user.email,
            "executed_as_user_id": query.run_as.user_id,
            "executed_as_user_name": query.run_as.email,
            "warehouse_id": query.warehouse_id,
            "endpoint_id": query.warehouse_id,
            "session_id": query.session_id,
            "client_application": query.client,
            "channel_used": CHANNEL_USED,
            "lookup_key": f"Ci{query.query_id.replace('-', '')}",
            "spark_ui_url": f"{self.workspace.api_url}/sparkui/{query.warehouse_id}/SQL/execution",
            "plans_state": "IGNORED_SMALL_DURATION" if is_quick else "EXISTS",
            "is_final": fetched_ms is not None,
            "is_cancelable": ended_ms is None,
            "duration": (ended_ms or min(now_ms, self.until_ms)) - query.submitted_ms,
            "metrics": _times(query, now_ms),
        }
        if ended_ms is None:
            return answer
        answer["execution_end_time_ms"] = ended_ms
        if query.error is not None:
            answer["error_message"] = query.error
        if query.metrics is not None:
            answer["rows_produced"] = query.metrics.rows
        if fetched_ms is not None:
            answer["query_end_time_ms"] = fetched_ms
            answer["metrics"] = {**_times(query, now_ms), **_measured(query, ended_ms, fetched_ms)}
        return answer


def _if_known(instant: int | None, now_ms: int) -> int | None:
    return None if instant is None or instant >= now_ms else instant


def _is_open(query: SqlQuery, now_ms: int) -> bool:
    return query.submitted_ms < now_ms and _if_known(query.ended_ms, now_ms) is None


def _status(query: SqlQuery, now_ms: int) -> str:
    if query.ending is not None and _if_known(query.ended_ms, now_ms) is not None:
        return query.ending.value
    return "QUEUED" if _if_known(query.running_ms, now_ms) is None else "RUNNING"


def _times(query: SqlQuery, now_ms: int) -> Json:
    """What is known of a query from the start: where it waited, when it was taken."""
    times: Json = {}
    running_ms = _if_known(query.running_ms, now_ms)
    if query.has_waited_for_start:
        times["provisioning_queue_start_timestamp"] = query.submitted_ms
    elif running_ms != query.submitted_ms:
        times["overloading_queue_start_timestamp"] = query.submitted_ms
    if running_ms is not None:
        times["query_compilation_start_timestamp"] = running_ms
    return times


def _measured(query: SqlQuery, ended_ms: int, fetched_ms: int) -> Json:
    total_ms = fetched_ms - query.submitted_ms
    measured = query.metrics
    if measured is None or query.running_ms is None:
        return {"total_time_ms": total_ms}
    return {
        "total_time_ms": total_ms,
        "compilation_time_ms": measured.compile_ms,
        "execution_time_ms": ended_ms - query.running_ms - measured.compile_ms,
        "result_fetch_time_ms": fetched_ms - ended_ms,
        "task_total_time_ms": measured.task_ms,
        "photon_total_time_ms": measured.photon_ms,
        "read_bytes": measured.read_bytes,
        "read_cache_bytes": measured.cache_bytes,
        "read_remote_bytes": measured.read_bytes - measured.cache_bytes,
        "read_files_count": measured.files,
        "read_partitions_count": 0,
        "pruned_bytes": measured.pruned_bytes,
        "pruned_files_count": measured.pruned_files,
        "write_remote_bytes": measured.written_bytes,
        "spill_to_disk_bytes": measured.spilled_bytes,
        "network_sent_bytes": measured.sent_bytes,
        "rows_read_count": measured.rows_read,
        "rows_produced_count": measured.rows,
        "result_from_cache": measured.is_from_cache,
    }


def _iso(at_ms: int) -> str:
    whole = datetime.fromtimestamp(at_ms // 1000, tz=UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03}Z"
