"""What the API lists: one declaration per endpoint, which `captures` asks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

from overwatch_assets.sources.rest_api.api import Api, Json, Query
from overwatch_assets.sources.rest_api.paging import pages

PAGED = ("has_more", "next_page_token")


def _as_it_is(each: Json) -> Json:
    return each


@dataclass(frozen=True, slots=True)
class Listing:
    """An endpoint that lists objects.

    Attributes:
        path: Its path.
        key: Field of the answer that holds the objects.
        object_id: Field that names an object, once it is prepared.
        query: Parameters.
        dropped: Fields of an object that are kept nowhere.
        clouds: Clouds that have such objects; empty: all.
        prepare: Brings an object's fields into the places that the columns are named after.
        is_part: Whether the list tells only part of an object.
        complete: Asks for the whole of such an object.
    """

    path: str
    key: str
    object_id: str
    query: Query = field(default_factory=dict[str, str | int | bool])
    dropped: tuple[str, ...] = ()
    clouds: frozenset[str] = frozenset()
    prepare: Callable[[Json], Json] = _as_it_is
    is_part: Callable[[Json], bool] = lambda _: False
    complete: Callable[[Api, Json], Json] = lambda _, each: each

    def __str__(self) -> str:
        return f"GET {self.path}"


JOBS_GET = "/api/2.2/jobs/get"
CLUSTERS_GET = "/api/2.1/clusters/get"
NODE_TYPES = "/api/2.1/clusters/list-node-types"
_JOB_ARRAYS = ("tasks", "job_clusters", "parameters", "environments")


def has_more_tasks(job: Json) -> bool:
    """Whether a job of the list has more tasks than the 100 that a list tells."""
    return job.get("has_more") is True


def whole_job(api: Api, job: Json) -> Json:
    """A job with all its tasks, which come in pages of 100.

    Raises:
        ApiError: It can't be had.
    """
    job_id = job.get("job_id")
    query: Query = {"job_id": str(job_id)}
    first, *more = pages(
        lambda each: api.get(JOBS_GET, each), query, what=f"GET {JOBS_GET} of job {job_id}"
    )
    settings = _object(first.get("settings"))
    for page in more:
        further = _object(page.get("settings"))
        for name in _JOB_ARRAYS:
            if elements := _array(further.get(name)):
                settings[name] = [*_array(settings.get(name)), *elements]
    return {**first, "settings": settings}


def warehouse_with_flat_tags(warehouse: Json) -> Json:
    """A warehouse whose tags are keys and values, under the id that other tables know it by."""
    prepared = {name: value for name, value in warehouse.items() if name != "id"}
    tags = _object(warehouse.get("tags"))
    if "custom_tags" in tags:
        prepared["tags"] = tags["custom_tags"]
    return {**prepared, "warehouse_id": warehouse.get("id")}


def _object(value: object) -> dict[str, object]:
    return dict(cast("Mapping[str, object]", value)) if isinstance(value, dict) else {}


def _array(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


JOBS = Listing(
    path="/api/2.2/jobs/list",
    key="jobs",
    object_id="job_id",
    query={"limit": 25, "expand_tasks": True},
    dropped=PAGED,
    is_part=has_more_tasks,
    complete=whole_job,
)
CLUSTERS = Listing(
    path="/api/2.1/clusters/list",
    key="clusters",
    object_id="cluster_id",
    query={"page_size": 100},
    dropped=("spec",),
)
INSTANCE_POOLS = Listing(
    path="/api/2.0/instance-pools/list", key="instance_pools", object_id="instance_pool_id"
)
LIBRARIES = Listing(
    path="/api/2.0/libraries/all-cluster-statuses", key="statuses", object_id="cluster_id"
)
POLICIES = Listing(path="/api/2.0/policies/clusters/list", key="policies", object_id="policy_id")
INSTANCE_PROFILES = Listing(
    path="/api/2.0/instance-profiles/list",
    key="instance_profiles",
    object_id="instance_profile_arn",
    clouds=frozenset({"aws"}),
)
TOKENS = Listing(
    path="/api/2.0/token/list",
    key="token_infos",
    object_id="token_id",
    dropped=("token_value",),
)
GLOBAL_INIT_SCRIPTS = Listing(
    path="/api/2.0/global-init-scripts",
    key="scripts",
    object_id="script_id",
    dropped=("script",),
)
WAREHOUSES = Listing(
    path="/api/2.0/sql/warehouses",
    key="warehouses",
    object_id="warehouse_id",
    prepare=warehouse_with_flat_tags,
)

LISTINGS: Mapping[str, Listing] = {
    "jobs": JOBS,
    "instance_pools": INSTANCE_POOLS,
    "libraries": LIBRARIES,
    "policies": POLICIES,
    "instance_profiles": INSTANCE_PROFILES,
    "tokens": TOKENS,
    "global_init_scripts": GLOBAL_INIT_SCRIPTS,
    "warehouses": WAREHOUSES,
}
"""Those that are captured as they are listed, by the name of the source."""
