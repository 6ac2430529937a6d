"""Days at the SQL warehouses: who makes, edits, starts and queries them.

Each workspace has the same five: one for dashboards, older than the audit log; one for people's
own questions; one for loads at night, which once runs for more than two days; one of the older
kind, made and removed under the older names of the actions; one for the end of the month,
started and stopped by hand.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace

from overwatch_assets.demo.company import Person
from overwatch_assets.demo.estate import (
    QueryEnding,
    SqlQuery,
    SqlStatement,
    Warehouse,
    WarehouseSettings,
)
from overwatch_assets.demo.scene import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Scene
from overwatch_assets.demo.sql_statements import (
    ADHOC,
    BACKFILL,
    BROKEN,
    BROKEN_ERROR,
    CLOSING,
    DASHBOARD,
    NIGHTLY,
    SHARED,
)
from overwatch_assets.demo.warehouse_engine import QueryPlan, WarehouseEngine

DASHBOARDS = WarehouseSettings(
    "bi-reports", "Medium", 1, 3, auto_stop_minutes=20, tags={"team": "bi", "cost-center": "4712"}
)
QUESTIONS = WarehouseSettings(
    "analyst-adhoc", "Small", 1, 2, auto_stop_minutes=10, tags={"team": "analytics"}
)
LOADS = WarehouseSettings(
    "etl-sql", "X-Small", 1, 2, auto_stop_minutes=15, tags={"team": "data-platform"}
)
LEGACY = WarehouseSettings(
    "legacy-dash", "2X-Small", 1, 1, auto_stop_minutes=45, warehouse_type="CLASSIC"
)
CLOSINGS = WarehouseSettings(
    "month-end", "Large", 1, 1, auto_stop_minutes=10, spot_policy="RELIABILITY_OPTIMIZED"
)

AGE_MS = 35 * DAY_MS
"""How long before the first day the oldest warehouse was made."""

DASHBOARD_TIMES = ((7, 0), (7, 18), (9, 0), (12, 0), (16, 0))
"""The second refresh finds the warehouse running still, and too small."""

NIGHT_ENDINGS = (QueryEnding.FINISHED, QueryEnding.CANCELED, QueryEnding.FAILED)
CHANCE_OF_FAILURE, CHANCE_OF_CANCELLATION, CHANCE_OF_CACHE = 0.06, 0.05, 0.3
OUT_OF_MEMORY = "[EXECUTOR_BROADCAST_JOIN_OOM] There is not enough memory to build the hash map."
EDITOR, DASHBOARD_CLIENT, DRIVER = (
    "Databricks SQL Editor",
    "Databricks SQL Dashboard",
    "Databricks SQL Connector for Python",
)


def warehouse_days(scene: Scene) -> tuple[tuple[Warehouse, ...], tuple[SqlQuery, ...]]:
    """Play the warehouses of a workspace; queries in the order of their submission."""
    engines = (
        _dashboards(scene),
        _questions(scene),
        _loads(scene),
        _legacy(scene),
        _closings(scene),
    )
    _refusals(scene)
    lives = [engine.play() for engine in engines if engine.created_ms < scene.until_ms]
    queries = (query for _, queries in lives for query in queries)
    return (
        tuple(warehouse for warehouse, _ in lives),
        tuple(sorted(queries, key=lambda query: (query.submitted_ms, query.query_id))),
    )


def _dashboards(scene: Scene) -> WarehouseEngine:
    """Refreshed at some hours by a robot, on behalf of an analyst, all statements at once."""
    owner = scene.workspace.people[0]
    keeper = _found(scene, DASHBOARDS, owner, scene.at(0) - AGE_MS, is_new=False)
    larger = replace(DASHBOARDS, size="Large", max_clusters=4)
    keeper.edit(scene.at(1, 6, 40), "editWarehouse", owner, larger)
    rng = scene.chance("dashboards")
    for day in range(scene.days):
        for hour, minute in DASHBOARD_TIMES:
            refreshed_ms = scene.at(day, hour, minute) + rng.randrange(20 * SECOND_MS)
            for n in range(scene.times(5, least=4)):
                keeper.ask(
                    refreshed_ms + rng.randrange(3 * SECOND_MS),
                    DASHBOARD[n % len(DASHBOARD)],
                    scene.workspace.robot,
                    run_as=owner,
                    client=DASHBOARD_CLIENT,
                    is_cached=n >= len(DASHBOARD) and rng.random() < CHANCE_OF_CACHE,
                )
    return keeper.engine


def _questions(scene: Scene) -> WarehouseEngine:
    """What people ask while they work; the first day holds one of each ending."""
    people = scene.workspace.people
    keeper = _found(scene, QUESTIONS, people[1], scene.at(0, 8, 45), is_new=True)
    wider = replace(QUESTIONS, max_clusters=5)
    tagged = replace(wider, tags={"team": "analytics", "tier": "gold"})
    keeper.edit(scene.at(0, 13, 30), "editEndpoint", people[1], wider, only=("max_num_clusters",))
    keeper.edit(scene.at(2, 10, 5), "editWarehouse", people[0], tagged)
    for n, person in enumerate(people):
        keeper.ask(scene.at(0, 10, 10 + n), SHARED, person)
    keeper.ask(
        scene.at(0, 10, 40), BROKEN, people[0], ending=QueryEnding.FAILED, error=BROKEN_ERROR
    )
    keeper.ask(scene.at(0, 10, 50), SHARED, people[1], ending=QueryEnding.CANCELED)
    for day in range(scene.days):
        for person in people:
            rng = scene.chance("questions", day, person.email)
            for _ in range(scene.times(6, least=2)):
                at_ms = scene.at(day, 9) + rng.randrange(8 * HOUR_MS + 30 * MINUTE_MS)
                _ask_something(keeper, at_ms, person)
    return keeper.engine


def _ask_something(keeper: "_Keeper", at_ms: int, person: Person) -> None:
    rng = keeper.rng
    luck, statement = rng.random(), rng.choice(ADHOC)
    if luck < CHANCE_OF_FAILURE:
        keeper.ask(at_ms, statement, person, ending=QueryEnding.FAILED, error=OUT_OF_MEMORY)
    elif luck < CHANCE_OF_FAILURE + CHANCE_OF_CANCELLATION:
        keeper.ask(at_ms, statement, person, ending=QueryEnding.CANCELED)
    else:
        keeper.ask(at_ms, statement, person)


def _loads(scene: Scene) -> WarehouseEngine:
    """A load that runs over each midnight, and one that runs for more than two days."""
    robot = scene.workspace.robot
    keeper = _found(scene, LOADS, robot, scene.at(0, 0, 20), is_new=True)
    rng = scene.chance("loads")
    keeper.ask(scene.at(0, 9, 30), BACKFILL, robot, client=DRIVER)
    for day in range(scene.days):
        ending = NIGHT_ENDINGS[day % len(NIGHT_ENDINGS)]
        keeper.ask(
            scene.at(day, 23, 46) + rng.randrange(3 * MINUTE_MS),
            NIGHTLY,
            robot,
            client=DRIVER,
            ending=ending,
            error=OUT_OF_MEMORY if ending is QueryEnding.FAILED else None,
        )
    return keeper.engine


def _legacy(scene: Scene) -> WarehouseEngine:
    """Made, edited and deleted under the names that the actions had before."""
    owner = scene.workspace.people[2]
    keeper = _found(scene, LEGACY, owner, scene.at(0, 8, 20), is_new=True, action="createEndpoint")
    patient = replace(LEGACY, auto_stop_minutes=60)
    keeper.edit(scene.at(0, 11), "editEndpoint", owner, patient)
    rng = scene.chance("legacy")
    for day in range(min(scene.days, 2)):
        for _ in range(scene.times(3, least=2)):
            at_ms = scene.at(day, 9) + rng.randrange(7 * HOUR_MS)
            keeper.ask(at_ms, DASHBOARD[0], owner, client=DASHBOARD_CLIENT)
    keeper.delete(scene.at(1, 17, 10), "deleteEndpoint", owner)
    return keeper.engine


def _closings(scene: Scene) -> WarehouseEngine:
    """Started and stopped by hand; the stop breaks off a query."""
    owner = scene.workspace.people[0]
    keeper = _found(scene, CLOSINGS, owner, scene.at(1, 13), is_new=True)
    keeper.start(scene.at(1, 14), owner)
    keeper.ask(scene.at(1, 14, 8), ADHOC[2], owner)
    keeper.ask(scene.at(1, 14, 12), CLOSING, owner)
    keeper.stop(scene.at(1, 14, 30), owner)
    keeper.delete(scene.at(2, 16), "deleteWarehouse", owner)
    return keeper.engine


def _refusals(scene: Scene) -> None:
    """Requests that change nothing, although they name settings."""
    diary, people = scene.diary, scene.workspace.people
    diary.note(
        scene.at(0, 14, 20),
        "databrickssql.createWarehouse",
        people[2],
        _params(replace(CLOSINGS, name="gigantic", size="4X-Large")),
        status=403,
        error="PERMISSION_DENIED: only administrators may create warehouses of this size",
    )
    diary.note(
        scene.at(0, 14, 25),
        "databrickssql.editWarehouse",
        people[2],
        {"id": "0000000000000000", "name": "gigantic", "max_num_clusters": 0},
        status=400,
        error="INVALID_PARAMETER_VALUE: max_num_clusters must be at least 1",
    )


@dataclass(frozen=True, slots=True)
class _Keeper:
    """Plans a warehouse's life, and notes in the diary what people do to it.

    Plans draw from a chance of their own: what is played is drawn in the order of time, so that
    a longer world begins as a shorter one does.
    """

    scene: Scene
    engine: WarehouseEngine
    rng: random.Random

    def edit(
        self,
        at_ms: int,
        action: str,
        by: Person,
        settings: WarehouseSettings,
        only: tuple[str, ...] = (),
    ) -> None:
        """Give it settings; the request may name only those parameters that change."""
        params = _params(settings)
        told = {key: params[key] for key in only} if only else params
        self._note(at_ms, action, by, {"name": settings.name, **told})
        self.engine.edit(at_ms, settings)

    def start(self, at_ms: int, by: Person) -> None:
        self._note(at_ms, "startWarehouse", by, {})
        self.engine.start(at_ms)

    def stop(self, at_ms: int, by: Person) -> None:
        self._note(at_ms, "stopWarehouse", by, {})
        self.engine.stop(at_ms)

    def delete(self, at_ms: int, action: str, by: Person) -> None:
        self._note(at_ms, action, by, {})
        self.engine.delete(at_ms)

    def ask(
        self,
        at_ms: int,
        statement: SqlStatement,
        user: Person,
        *,
        run_as: Person | None = None,
        client: str = EDITOR,
        ending: QueryEnding = QueryEnding.FINISHED,
        error: str | None = None,
        is_cached: bool = False,
    ) -> None:
        around = self.rng.uniform(0.9, 1.1) if ending is QueryEnding.FINISHED else 0.6
        run_ms = 90 if is_cached else round(statement.run_ms * around)
        self.engine.ask(
            QueryPlan(
                at_ms, user, run_as or user, client, statement, run_ms, ending, error, is_cached
            )
        )

    def _note(self, at_ms: int, action: str, by: Person, params: Mapping[str, object]) -> None:
        identified = {"id": self.engine.warehouse_id, **params}
        self.scene.diary.note(at_ms, f"databrickssql.{action}", by, identified, result={})


def _found(
    scene: Scene,
    settings: WarehouseSettings,
    creator: Person,
    created_ms: int,
    *,
    is_new: bool,
    action: str = "createWarehouse",
) -> _Keeper:
    """Make a warehouse; the audit log tells of it if it is new."""
    rng = scene.chance("warehouse", settings.name)
    engine = WarehouseEngine(
        warehouse_id=f"{rng.getrandbits(64):016x}",
        creator=creator,
        settings=settings,
        created_ms=created_ms,
        until_ms=scene.until_ms,
        rng=rng,
        is_new=is_new,
    )
    if is_new:
        scene.diary.note(
            created_ms,
            f"databrickssql.{action}",
            creator,
            _params(settings),
            result={"id": engine.warehouse_id},
        )
    return _Keeper(scene, engine, scene.chance("plans", settings.name))


def _params(settings: WarehouseSettings) -> dict[str, object]:
    tags = [{"key": key, "value": value} for key, value in settings.tags.items()]
    return {
        "name": settings.name,
        "cluster_size": settings.size,
        "min_num_clusters": settings.min_clusters,
        "max_num_clusters": settings.max_clusters,
        "auto_stop_mins": settings.auto_stop_minutes,
        "spot_instance_policy": settings.spot_policy,
        "enable_photon": True,
        "enable_serverless_compute": False,
        "warehouse_type": settings.warehouse_type,
        "channel": {"name": "CHANNEL_NAME_CURRENT"},
        "tags": {"custom_tags": tags},
    }
