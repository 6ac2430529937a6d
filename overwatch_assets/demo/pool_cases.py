"""Instance pools: older than the audit log, edited, made and deleted in the days."""

from dataclasses import dataclass, replace

from overwatch_assets.demo.company import Person
from overwatch_assets.demo.pools import Pool, PoolSpec, PoolVersion, pool_params
from overwatch_assets.demo.scene import Scene


@dataclass(frozen=True, slots=True)
class Pools:
    """The pools that clusters draw from.

    Attributes:
        warm: Of workers of job clusters, older than the audit log.
        drivers: Of their drivers, as old.
        burst: Made on the first day, deleted on the third.
    """

    warm: Pool
    drivers: Pool
    burst: Pool


class PoolControl:
    """Does things to one pool."""

    def __init__(self, scene: Scene, subject: str, spec: PoolSpec, created_ms: int) -> None:
        """Create it."""
        self._scene = scene
        self._diary = scene.diary_of("pool", subject)
        rng = scene.chance("pool", subject)
        name = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=8))
        pool_id = f"{rng.randrange(10**3, 10**4)}-{rng.randrange(10**5, 10**6)}-pool-{name}"
        creator = scene.workspace.people[0]
        self.pool = Pool(pool_id, creator, [PoolVersion(created_ms, spec)])
        scene.ledger.pools.append(self.pool)
        params = pool_params(spec, scene.workspace.region)
        result = {"instance_pool_id": pool_id}
        self._diary.note(created_ms, "instancePools.create", creator, params, result=result)

    def edit(self, at_ms: int, by: Person, spec: PoolSpec) -> None:
        """Save other settings."""
        params = {**self._named(), **pool_params(spec, self._scene.workspace.region)}
        self._diary.note(at_ms, "instancePools.edit", by, params, result={})
        self.pool.versions.append(PoolVersion(at_ms, spec))

    def delete(self, at_ms: int, by: Person) -> None:
        """Delete it."""
        self._diary.note(at_ms, "instancePools.delete", by, self._named(), result={})
        self.pool.deleted_ms = at_ms

    def _named(self) -> dict[str, object]:
        return {"instance_pool_id": self.pool.pool_id}


def pool_cases(scene: Scene) -> Pools:
    """Play the lives of the pools."""
    people = scene.workspace.people
    own = scene.workspace.shared.node_type
    tags = {"team": "data-platform"}
    warm = PoolControl(scene, "warm", PoolSpec("warm-etl", own, 2, 40, tags=tags), scene.at(-60, 9))
    drivers = PoolControl(
        scene, "drivers", PoolSpec("etl-drivers", "c5d.2xlarge", 1, 10), scene.at(-60, 9, 5)
    )
    burst_spec = PoolSpec("gpu-burst", "g4dn.xlarge", 0, 8, idle_minutes=5, availability="SPOT")
    burst = PoolControl(scene, "burst", burst_spec, scene.at(0, 7, 5))
    warm.edit(scene.at(1, 9, 20), people[1], replace(warm.pool.spec, max_capacity=60, min_idle=4))
    burst.delete(scene.at(2, 16), people[0])
    return Pools(warm.pool, drivers.pool, burst.pool)
