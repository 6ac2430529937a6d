"""Who and what: the people, notebooks, clusters and jobs of a made-up grocery company.

The cast is fixed, so that a reader of the demo meets the same names again; the seed decides ids
and addresses, `scale` how many scheduled jobs there are. What they do, and when, is in
`simulation.py`.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from overwatch_assets.demo.queries import QUERIES, QueryShape

LOG_MOUNT = "dbfs:/mnt/cluster-logs"
"""Where the clusters deliver their logs, as their configuration spells it."""

JOB_WORKERS = 3
"""Workers of the cast's job clusters, unless they are single nodes."""

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, slots=True)
class Person:
    """A user or a service principal.

    Attributes:
        email: Name in the audit log; a service principal has an application id instead.
        user_id: Databricks' number of the user.
        address: IP address that requests come from.
    """

    email: str
    user_id: int
    address: str


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook, at the path it has when the first day begins."""

    notebook_id: int
    path: str
    owner: Person

    @property
    def name(self) -> str:
        """Last part of the path."""
        return self.path.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster as its owner configured it.

    Attributes:
        source: `UI`, `API` or `JOB`, as Databricks calls the origin.
        cores: Cores per worker.
        min_workers: 0: a single node, its driver executes.
        max_workers: Above `min_workers`: the cluster scales by itself.
        log_destination: None: no log delivery configured.
    """

    cluster_id: str
    name: str
    owner: Person
    source: str
    node_type: str
    cores: int
    min_workers: int
    max_workers: int
    log_destination: str | None
    spark_version: str = "15.4.x-scala2.12"
    tags: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def is_single_node(self) -> bool:
        """Whether the driver is the only machine."""
        return self.max_workers == 0


@dataclass(frozen=True, slots=True)
class JobTask:
    """A task of a Databricks job: a notebook and the queries it runs."""

    key: str
    notebook: Notebook
    queries: tuple[QueryShape, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """A Databricks job.

    Attributes:
        start_minutes: Minutes of the day at which it starts.
        single_node: Its job cluster has no workers.
        is_on_shared: Runs on the shared cluster, started by hand, instead of a job cluster.
    """

    job_id: int
    name: str
    owner: Person
    tasks: tuple[JobTask, ...]
    start_minutes: tuple[int, ...]
    single_node: bool = False
    is_on_shared: bool = False

    @property
    def is_scheduled(self) -> bool:
        """Whether a schedule starts it, on a cluster of its own."""
        return bool(self.start_minutes) and not self.is_on_shared


@dataclass(frozen=True, slots=True)
class Workspace:
    """A Databricks workspace.

    Attributes:
        shared: Interactive cluster, older than the demo's first day.
        streaming: Cluster of the stream that never ends.
        silent: Cluster whose logs nobody will find.
        stream_minutes: Minutes between two micro-batches of the stream.
        size: How much happens in it, 1.0 in the larger ones; multiplies the scale.
    """

    workspace_id: str
    name: str
    api_url: str
    region: str
    people: tuple[Person, ...]
    robot: Person
    notebooks: tuple[Notebook, ...]
    shared: Cluster
    streaming: Cluster
    silent: Cluster
    jobs: tuple[Job, ...]
    stream_job: Job
    stream_name: str | None
    stream_minutes: int
    size: float


@dataclass(frozen=True, slots=True)
class Company:
    """A Databricks account and its workspaces."""

    account_id: str
    workspaces: tuple[Workspace, ...]


@dataclass(frozen=True, slots=True)
class _Cast:
    """What distinguishes one workspace from the other."""

    workspace_id: str
    name: str
    region: str
    people: tuple[str, ...]
    notebooks: tuple[str, ...]
    nightly: tuple[str, int, tuple[tuple[str, tuple[str, ...]], ...]]
    regular: tuple[str, tuple[int, ...], tuple[str, ...]]
    by_hand: tuple[str, int, tuple[str, ...]]
    stream: tuple[str, str | None, int]
    node_type: str
    cores: int
    is_silent_configured: bool
    size: float = 1.0


CASTS = (
    _Cast(
        workspace_id="3471820956612044",
        name="tidewater-prod",
        region="eu-central-1",
        people=("ines.okafor", "tomas.brandt", "mei.arslan"),
        notebooks=("store_sales", "Kühlkette_Übersicht", "basket_analysis"),
        nightly=(
            "nightly_sales_load",
            23 * 60 + 35,
            (
                ("extract", ("read_tills", "count_rows")),
                ("load", ("merge_sales", "store_sales")),
                ("publish", ("daily_report",)),
            ),
        ),
        regular=("inventory_refresh", (5 * 60 + 30, 13 * 60 + 30), ("read_tills", "store_sales")),
        by_hand=("price_export", 10 * 60, ("daily_report", "count_rows")),
        stream=("orders_stream_job", "orders_stream", 20),
        node_type="i3.xlarge",
        cores=4,
        is_silent_configured=False,
    ),
    _Cast(
        workspace_id="6105338274410927",
        name="tidewater-lab",
        region="eu-west-1",
        people=("zoe.lindqvist", "hamid.rossi", "paula.nakata"),
        notebooks=("demand_model", "promo_uplift", "scratch_zoe"),
        nightly=(
            "demand_forecast",
            23 * 60 + 42,
            (
                ("features", ("merge_sales", "basket_join")),
                ("train", ("train_model", "train_model")),
            ),
        ),
        regular=("feature_build", (6 * 60,), ("basket_join",)),
        by_hand=("model_scoring", 11 * 60, ("basket_join",)),
        stream=("clicks_stream_job", None, 60),
        node_type="r5d.xlarge",
        cores=4,
        is_silent_configured=True,
    ),
    _Cast(
        workspace_id="2750661938045173",
        name="tidewater-shops",
        region="us-east-1",
        people=("lena.castell", "arjun.mbeki", "noor.haddad"),
        notebooks=("shelf_prices", "stock_counts", "Öffnungszeiten"),
        nightly=("price_sync", 23 * 60 + 48, (("sync", ("read_tills", "count_rows")),)),
        regular=("stock_levels", (7 * 60,), ("count_rows",)),
        by_hand=("label_print", 12 * 60, ("count_rows",)),
        stream=("tills_stream_job", "tills_stream", 60),
        node_type="m5.xlarge",
        cores=4,
        is_silent_configured=False,
        size=0.3,
    ),
)


def seeded(seed: int, *subject: object) -> random.Random:
    """Return the source of chance of one subject, so that another subject does not disturb it."""
    name = "/".join(str(part) for part in (seed, *subject))
    return random.Random(name)  # noqa: S311  a made-up world keeps no secret


def digits(rng: random.Random, count: int) -> int:
    """Return a whole number of exactly that many digits."""
    return rng.randrange(10 ** (count - 1), 10**count)


def cluster_id(rng: random.Random, created: datetime) -> str:
    """Return an id in Databricks' form: day and time of creation, then eight characters."""
    return f"{created:%m%d-%H%M%S}-{''.join(rng.choices(LETTERS, k=8))}"


def job_cluster(workspace: Workspace, job: Job, cluster_id: str = "", name: str = "") -> Cluster:
    """Return a cluster for a run of a job of the cast; without id it is the job's plan of one."""
    shared = workspace.shared
    workers = 0 if job.single_node else JOB_WORKERS
    return Cluster(
        cluster_id=cluster_id,
        name=name,
        owner=job.owner,
        source="JOB",
        node_type=shared.node_type,
        cores=shared.cores,
        min_workers=workers,
        max_workers=workers,
        log_destination=shared.log_destination,
        tags={
            "team": "data-platform",
            **({"ResourceClass": "SingleNode"} if job.single_node else {}),
        },
    )


def found_company(seed: int, first_day: date, scale: float) -> Company:
    """Make the company; the same arguments give the same one."""
    account = seeded(seed, "account").getrandbits(128)
    hex_id = f"{account:032x}"
    return Company(
        account_id=f"{hex_id[:8]}-{hex_id[8:12]}-{hex_id[12:16]}-{hex_id[16:20]}-{hex_id[20:]}",
        workspaces=tuple(
            _workspace(cast, seeded(seed, cast.workspace_id), first_day, scale * cast.size)
            for cast in CASTS
        ),
    )


def founded(first_day: date) -> datetime:
    """Return when the shared clusters were created, long before the first day."""
    return _morning(first_day) - timedelta(days=40, hours=-10)


def _morning(first_day: date) -> datetime:
    return datetime(first_day.year, first_day.month, first_day.day, 0, 5, tzinfo=UTC)


def _workspace(cast: _Cast, rng: random.Random, first_day: date, scale: float) -> Workspace:
    def person(name: str) -> Person:
        return Person(
            f"{name}@tidewater.example", digits(rng, 13), f"203.0.113.{rng.randrange(1, 255)}"
        )

    def notebook(path: str, owner: Person) -> Notebook:
        return Notebook(digits(rng, 15), path, owner)

    people = tuple(person(name) for name in cast.people)
    robot = person(f"svc-{cast.name.rsplit('-', 1)[-1]}")
    owned = zip(cast.notebooks, people, strict=True)
    notebooks = tuple(notebook(f"/Users/{owner.email}/{name}", owner) for name, owner in owned)

    def cluster(name: str, created: datetime, workers: tuple[int, int], *, logs: bool) -> Cluster:
        return Cluster(
            cluster_id=cluster_id(rng, created),
            name=name,
            owner=people[0],
            source="UI",
            node_type=cast.node_type,
            cores=cast.cores,
            min_workers=workers[0],
            max_workers=workers[1],
            log_destination=f"{LOG_MOUNT}/{cast.name}" if logs else None,
            tags={"team": "analytics", "cost-center": "4711"},
        )

    def job(
        name: str,
        tasks: tuple[tuple[str, tuple[str, ...]], ...],
        start_minutes: tuple[int, ...],
        *,
        single_node: bool = False,
        is_on_shared: bool = False,
    ) -> Job:
        return Job(
            job_id=digits(rng, 15),
            name=name,
            owner=robot,
            tasks=tuple(
                JobTask(
                    key,
                    notebook(f"/Repos/production/{name}/{key}", robot),
                    tuple(QUERIES[query] for query in queries),
                )
                for key, queries in tasks
            ),
            start_minutes=start_minutes,
            single_node=single_node,
            is_on_shared=is_on_shared,
        )

    morning = _morning(first_day)
    name, minutes, queries = cast.regular
    regular = (
        job(
            name if n == 0 else f"{name}_{n + 1}",
            (("main", queries),),
            tuple((minute + 11 * n) % 1440 for minute in minutes),
            single_node=True,
        )
        for n in range(max(1, round(scale)))
    )
    night, night_minute, night_tasks = cast.nightly
    by_hand, by_hand_minute, by_hand_queries = cast.by_hand
    stream_job, stream_name, stream_minutes = cast.stream
    return Workspace(
        workspace_id=cast.workspace_id,
        name=cast.name,
        api_url=f"https://{cast.name}.cloud.databricks.example",
        region=cast.region,
        people=people,
        robot=robot,
        notebooks=notebooks,
        shared=cluster("shared-analytics", founded(first_day), (2, 5), logs=True),
        streaming=cluster("streaming", morning, (2, 2), logs=True),
        silent=cluster(
            "sandbox", morning.replace(hour=8, minute=40), (1, 1), logs=cast.is_silent_configured
        ),
        jobs=(
            job(night, night_tasks, (night_minute,)),
            *regular,
            job(by_hand, (("main", by_hand_queries),), (by_hand_minute,), is_on_shared=True),
        ),
        stream_job=job(stream_job, (("stream", ("stream_batch",)),), ()),
        stream_name=stream_name,
        stream_minutes=max(1, round(stream_minutes / max(scale, 0.5))),
        size=cast.size,
    )
