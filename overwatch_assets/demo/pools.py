"""Instance pools: their settings from version to version."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field

from overwatch_assets.demo.company import Person

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class PoolSpec:
    """Settings of a pool."""

    name: str
    node_type: str
    min_idle: int
    max_capacity: int
    idle_minutes: int = 15
    preloaded: tuple[str, ...] = ("15.4.x-scala2.12",)
    availability: str = "ON_DEMAND"
    tags: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class PoolVersion:
    """Settings and when they were saved."""

    at_ms: int
    spec: PoolSpec


@dataclass(slots=True)
class Pool:
    """A pool and what became of it."""

    pool_id: str
    creator: Person
    versions: list[PoolVersion]
    deleted_ms: int | None = None

    @property
    def spec(self) -> PoolSpec:
        """The settings saved last."""
        return self.versions[-1].spec

    def exists(self, at_ms: int) -> bool:
        """Whether there is such a pool at an instant."""
        is_made = self.versions[0].at_ms <= at_ms
        return is_made and (self.deleted_ms is None or at_ms < self.deleted_ms)

    def spec_at(self, at_ms: int) -> PoolSpec:
        """Return the settings valid at an instant, the first ones before there were any."""
        position = bisect_right(self.versions, at_ms, key=lambda version: version.at_ms)
        return self.versions[max(position - 1, 0)].spec


def pool_params(spec: PoolSpec, region: str) -> Json:
    """Return the parameters of `instancePools.create` and `.edit`, with natural types."""
    return {
        "instance_pool_name": spec.name,
        "node_type_id": spec.node_type,
        "min_idle_instances": spec.min_idle,
        "max_capacity": spec.max_capacity,
        "idle_instance_autotermination_minutes": spec.idle_minutes,
        "preloaded_spark_versions": list(spec.preloaded),
        "aws_attributes": {"availability": spec.availability, "zone_id": f"{region}a"},
        "custom_tags": dict(spec.tags),
        "enable_elastic_disk": True,
    }


def pool_object(pool: Pool, at_ms: int, region: str, used: int) -> Json:
    """Return a pool as `instance-pools/list` tells it, with that many instances in use."""
    spec = pool.spec_at(at_ms)
    return {
        "instance_pool_id": pool.pool_id,
        **pool_params(spec, region),
        "default_tags": {
            "Vendor": "Databricks",
            "DatabricksInstancePoolCreatorId": str(pool.creator.user_id),
            "DatabricksInstancePoolId": pool.pool_id,
        },
        "state": "ACTIVE",
        "stats": {
            "used_count": used,
            "idle_count": spec.min_idle,
            "pending_used_count": 0,
            "pending_idle_count": 0,
        },
    }
