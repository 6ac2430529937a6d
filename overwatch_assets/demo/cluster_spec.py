"""A cluster's configuration, and how the audit log, the events and the API each spell it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from overwatch_assets.demo.company import Cluster, Person, Workspace

Json = dict[str, object]

LIGHT = "apache_spark_3.5.x-scala2.12"
"""Runtime of Jobs Light, which has a price of its own."""


@dataclass(frozen=True, slots=True)
class ClusterSpec:
    """A configuration of a cluster.

    Attributes:
        owner: Who the cluster belongs to.
        source: `UI`, `API` or `JOB`.
        min_workers: 0 with `max_workers` 0: a single node, its driver executes.
        max_workers: Above `min_workers`: the cluster scales by itself.
        driver_node_type: None: as the workers.
        runtime_engine: None: the request does not say.
        pool_id: Pool of the workers and, without `driver_pool_id`, of the driver.
    """

    name: str
    owner: Person
    source: str
    node_type: str
    min_workers: int
    max_workers: int
    driver_node_type: str | None = None
    spark_version: str = "15.4.x-scala2.12"
    runtime_engine: str | None = None
    log_destination: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    availability: str = "SPOT_WITH_FALLBACK"
    autotermination_minutes: int = 120
    policy_id: str | None = None
    pool_id: str | None = None
    driver_pool_id: str | None = None
    single_user: str | None = None
    init_script: str | None = None

    @property
    def driver_type(self) -> str:
        """Node type of the driver."""
        return self.driver_node_type or self.node_type

    @property
    def is_single_node(self) -> bool:
        """Whether the driver is the only machine."""
        return self.max_workers == 0

    @property
    def is_autoscaling(self) -> bool:
        """Whether the cluster scales by itself."""
        return self.min_workers < self.max_workers

    @property
    def is_photon(self) -> bool:
        """Whether Photon computes, by the engine or by the runtime's name."""
        return self.runtime_engine == "PHOTON" or "-photon-" in self.spark_version

    @property
    def sku(self) -> str:
        """What its DBUs are billed as."""
        if self.source != "JOB":
            return "interactive"
        return "jobsLight" if self.spark_version == LIGHT else "automated"


def spec_of(cluster: Cluster) -> ClusterSpec:
    """Return the configuration of a cluster of the cast."""
    return ClusterSpec(
        name=cluster.name,
        owner=cluster.owner,
        source=cluster.source,
        node_type=cluster.node_type,
        min_workers=cluster.min_workers,
        max_workers=cluster.max_workers,
        spark_version=cluster.spark_version,
        log_destination=cluster.log_destination,
        tags=cluster.tags,
        autotermination_minutes=0 if cluster.source == "JOB" else 120,
    )


def size_object(spec: ClusterSpec) -> Json:
    """Return `num_workers` or `autoscale`."""
    if not spec.is_autoscaling:
        return {"num_workers": spec.min_workers}
    return {"autoscale": {"min_workers": spec.min_workers, "max_workers": spec.max_workers}}


def audit_params(spec: ClusterSpec, workspace: Workspace) -> Json:
    """Return the parameters of `clusters.create` and `clusters.edit`, with natural types."""
    return {
        "cluster_name": spec.name,
        "spark_version": spec.spark_version,
        "effective_spark_version": spec.spark_version,
        **_machines(spec),
        **size_object(spec),
        "autotermination_minutes": spec.autotermination_minutes,
        "enable_elastic_disk": True,
        "cluster_source": spec.source,
        "cluster_creator": "JOB_LAUNCHER" if spec.source == "JOB" else "UI",
        "custom_tags": _tags(spec),
        "spark_conf": _spark_conf(spec),
        "spark_env_vars": {},
        "init_scripts": _init_scripts(spec),
        "aws_attributes": _aws(spec, workspace.region),
        **_engine(spec),
        **_log_conf(spec.log_destination),
        **_choices(spec),
        "idempotency_token": "",
        "user_id": spec.owner.user_id,
        "organization_id": workspace.workspace_id,
    }


def new_cluster(spec: ClusterSpec, workspace: Workspace) -> Json:
    """Return the `new_cluster` of a job or of a submitted run."""
    return {
        "spark_version": spec.spark_version,
        **_machines(spec),
        **size_object(spec),
        "enable_elastic_disk": True,
        "custom_tags": _tags(spec),
        "spark_conf": _spark_conf(spec),
        "aws_attributes": _aws(spec, workspace.region),
        **_engine(spec),
        **_log_conf(spec.log_destination),
        **_choices(spec),
    }


def event_attributes(spec: ClusterSpec, region: str) -> Json:
    """Return the `attributes` of a CREATING or EDITED event."""
    return {
        "cluster_name": spec.name,
        "spark_version": spec.spark_version,
        **_machines(spec),
        "autotermination_minutes": spec.autotermination_minutes,
        "enable_elastic_disk": True,
        "cluster_source": spec.source,
        "custom_tags": _tags(spec),
        "spark_conf": _spark_conf(spec),
        "spark_env_vars": {},
        "aws_attributes": _aws(spec, region),
        **_engine(spec),
        **_log_conf(spec.log_destination),
        **_choices(spec),
    }


def api_attributes(spec: ClusterSpec, cluster_id: str, region: str) -> Json:
    """Return what `clusters/get` tells of the configuration; it names the pools' machines too."""
    return {
        "cluster_id": cluster_id,
        "cluster_name": spec.name,
        "creator_user_name": spec.owner.email,
        "cluster_source": spec.source,
        "spark_version": spec.spark_version,
        "effective_spark_version": spec.spark_version,
        "node_type_id": spec.node_type,
        "driver_node_type_id": spec.driver_type,
        "autotermination_minutes": spec.autotermination_minutes,
        "enable_elastic_disk": True,
        "enable_local_disk_encryption": False,
        "custom_tags": _tags(spec),
        "default_tags": {
            "Vendor": "Databricks",
            "Creator": spec.owner.email,
            "ClusterName": spec.name,
            "ClusterId": cluster_id,
        },
        "spark_conf": _spark_conf(spec),
        "spark_env_vars": {},
        "init_scripts": _init_scripts(spec),
        "aws_attributes": _aws(spec, region),
        **_pools(spec),
        **_engine(spec),
        **_log_conf(spec.log_destination),
        **_choices(spec),
    }


def _machines(spec: ClusterSpec) -> Json:
    """On a pool the request names the pool, and the pool knows the machines."""
    if spec.pool_id is not None:
        return _pools(spec)
    return {"node_type_id": spec.node_type, "driver_node_type_id": spec.driver_type}


def _pools(spec: ClusterSpec) -> Json:
    if spec.pool_id is None:
        return {}
    driver = {} if spec.driver_pool_id is None else {"driver_instance_pool_id": spec.driver_pool_id}
    return {"instance_pool_id": spec.pool_id, **driver}


def _tags(spec: ClusterSpec) -> Json:
    return {**spec.tags, **({"ResourceClass": "SingleNode"} if spec.is_single_node else {})}


def _spark_conf(spec: ClusterSpec) -> Json:
    conf: Json = {"spark.databricks.delta.preview.enabled": "true"}
    if spec.is_single_node:
        conf |= {"spark.databricks.cluster.profile": "singleNode", "spark.master": "local[*, 4]"}
    return conf


def _aws(spec: ClusterSpec, region: str) -> Json:
    return {
        "availability": spec.availability,
        "first_on_demand": 0 if spec.availability == "SPOT" else 1,
        "zone_id": f"{region}a",
    }


def _engine(spec: ClusterSpec) -> Json:
    return {} if spec.runtime_engine is None else {"runtime_engine": spec.runtime_engine}


def _init_scripts(spec: ClusterSpec) -> list[Json]:
    if spec.init_script is None:
        return []
    return [{"workspace": {"destination": spec.init_script}}]


def _log_conf(destination: str | None) -> Json:
    if destination is None:
        return {}
    kind = "volumes" if destination.startswith("/Volumes/") else "dbfs"
    return {"cluster_log_conf": {kind: {"destination": destination}}}


def _choices(spec: ClusterSpec) -> Json:
    chosen = {"policy_id": spec.policy_id, "single_user_name": spec.single_user}
    return {key: value for key, value in chosen.items() if value is not None}
