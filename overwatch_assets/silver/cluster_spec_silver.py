"""Cluster specifications: one row per change of what a cluster is, from the change on.

A row belongs to the day of the change. A create or an edit says everything: what it leaves out is
gone. A resize and a deletion for good repeat what held before. Only what every cluster has (node
types, runtime, size, ...) is taken from a capture where no request says it. Clusters older than
the audit log are known from captures, as `snapImpute`: on the workspace's first day from its start
on, later from the capture on. Clusters of SQL warehouses have only such rows.
"""

import polars as pl

from overwatch_assets.expressions import audit
from overwatch_assets.expressions.cluster_columns import SETTINGS, shared
from overwatch_assets.expressions.cluster_definitions import (
    LIMITS,
    autoscale_text,
    cluster_type,
    is_automated,
    is_single_node,
    of_warehouse,
    runtime_engine,
    security_profile,
)
from overwatch_assets.expressions.durations import DAY_MS
from overwatch_assets.expressions.entity_versions import (
    CARRIED,
    FROM,
    IS_DELETION,
    IS_MEND,
    RANK,
    SEQ,
    TOLD,
    captured,
    concerned,
    in_order,
    life_number,
    position,
    rank_of,
    sightings,
    without_idle_captures,
)
from overwatch_assets.expressions.json_texts import json_text, texts_in
from overwatch_assets.expressions.rules import remedy
from overwatch_assets.module import (
    HOLDS,
    LEFT_OUT,
    AsOf,
    Captures,
    Carried,
    Column,
    Day,
    Grain,
    Rule,
    Scope,
    Timeline,
    Window,
    module,
)

CLUSTER = "cluster_id"
RANKS = {"create": 0, "edit": 1, "resize": 2, "permanentDelete": 3}
REMEMBERED_MS = 60 * DAY_MS
"""How long a cluster is looked up after it was deleted, a job's cluster after its last change."""

TEXT_FIELDS = (
    "cluster_name",
    "driver_node_type_id",
    "node_type_id",
    "cluster_log_conf",
    "init_scripts",
    "custom_tags",
    "cluster_source",
    "spark_env_vars",
    "spark_conf",
    "acl_path_prefix",
    "driver_instance_pool_id",
    "instance_pool_id",
    "driver_instance_pool_name",
    "instance_pool_name",
    "runtime_engine",
    "idempotency_token",
    "policy_id",
    "single_user_name",
)
MAPS = ("aws_attributes", "azure_attributes", "gcp_attributes")
SWITCHES = ("enable_elastic_disk", "start_cluster")
SIZE = ("num_workers", "autoscale")
DEFINITION = (*TEXT_FIELDS, *MAPS, *SWITCHES, "spark_version", "autotermination_minutes")
"""What a create or an edit says of a cluster, but for its size."""

ALWAYS = (
    "cluster_name",
    "driver_node_type_id",
    "node_type_id",
    "spark_version",
    "autotermination_minutes",
    "cluster_source",
    *MAPS,
)
"""What every cluster has, whether its request says it or not."""

NOT_CAPTURED = (
    "acl_path_prefix",
    "driver_instance_pool_name",
    "instance_pool_name",
    "idempotency_token",
    "start_cluster",
)
OF_CAPTURES = (
    *(name for name in DEFINITION if name not in NOT_CAPTURED),
    *SIZE,
    "createdBy",
)
"""What a capture shows."""

COLUMNS = (
    Column("serviceName", pl.String, "clusters."),
    Column(
        "actionName",
        pl.String,
        "create, edit, resize, permanentDelete, or snapImpute: a capture told of it.",
    ),
    Column("timestamp", pl.Int64, "Epoch ms from which the row holds; decides the day."),
    Column("cluster_id", pl.String, "Cluster."),
    *shared("cluster_name"),
    Column(
        "driver_node_type_id",
        pl.String,
        "Node type of the driver, of its pool where it has one; null: never told.",
    ),
    Column(
        "node_type_id",
        pl.String,
        "Node type of the workers, of their pool where they have one; null: a single node, or "
        "never told.",
    ),
    *shared("num_workers", "autoscale"),
    Column("autotermination_minutes", pl.Int32, "Idle minutes after which it ends; 0: never."),
    *shared("enable_elastic_disk"),
    Column("start_cluster", pl.Boolean, "The request starts the cluster."),
    *SETTINGS,
    Column("createdBy", pl.String, "Who created it; JobsService for jobs. Null: not known."),
    Column("lastEditedBy", pl.String, "Who edited it last; null: nobody since it is known."),
    *shared("deleted_by"),
    Column("seq", pl.Int64, "Position among the cluster's rows of the same millisecond."),
)


def _forgotten(until_ms: int) -> pl.Expr:
    is_old = pl.col("timestamp") < until_ms - REMEMBERED_MS
    is_gone = pl.col("actionName") == "permanentDelete"
    return (is_gone | pl.col("is_automated").fill_null(value=False)) & is_old


def _changes_kept(
    rows: pl.LazyFrame, not_stored: pl.LazyFrame, audit_log_bronze: pl.LazyFrame
) -> pl.LazyFrame:
    """Requests that changed clusters by instant, and whether they became versions or a count.

    Of several requests of an instant for the same cluster the last one is the version.
    """
    request = ["timestamp", "actionName"]
    told = _events(audit_log_bronze).filter(pl.col("actionName").is_in([*RANKS]))
    versions = rows.group_by(request).agg(versions=pl.len().cast(pl.Int64))
    counted = not_stored.group_by("timestamp").agg(requests_counted=pl.len().cast(pl.Int64))
    return (
        told.group_by(request)
        .agg(requests=pl.len().cast(pl.Int64))
        .join(versions, on=request, how="left")
        .join(counted, on="timestamp", how="left")
        .with_columns(pl.col("versions", "requests_counted").fill_null(0))
        .with_columns((pl.col("versions") + pl.col("requests_counted") > 0).alias(HOLDS))
    )


RULES = (
    Rule(
        name="requests_make_versions",
        doc="a request that changed a cluster is a version of it, or is counted",
        compared=_changes_kept,
        by=("timestamp", "actionName"),
        remedy=remedy("audit_log_bronze"),
    ),
)


@module(
    module_id=2014,
    name="Silver_ClusterSpec",
    scope=Scope.CLUSTERS,
    grain=Grain.VERSION,
    columns=COLUMNS,
    keys=("cluster_id", "timestamp", "actionName"),
    reads={
        "audit_log_bronze": Day(),
        "clusters_snapshot_bronze": Captures(),
        "pools_silver": AsOf(),
        "carried": Carried(),
    },
    decided_by="timestamp",
    timeline=Timeline(entity=(CLUSTER,), order=("timestamp", SEQ), forgotten=_forgotten),
    rules=RULES,
)
def cluster_spec_silver(
    audit_log_bronze: pl.LazyFrame,
    clusters_snapshot_bronze: pl.LazyFrame,
    pools_silver: pl.LazyFrame,
    carried: pl.LazyFrame,
    *,
    window: Window,
) -> pl.LazyFrame:
    """Follow what each cluster is through the day.

    Args:
        audit_log_bronze: The day's events; those of clusters that were carried out count.
        clusters_snapshot_bronze: The day's captures and the closing ones; one per cluster and day.
        pools_silver: Pools as they were before the day, and their changes on it.
        carried: Each cluster's latest version before the day.
        window: The day.
    """
    events = _events(audit_log_bronze)
    told = _told(_with_ids(events, carried))
    shown = _shown(clusters_snapshot_bronze)
    born_ms = pl.col("start_time")
    rows = pl.concat(
        [
            _held_before(concerned(carried, told, shown, CLUSTER)),
            _one_per_key(told),
            sightings(shown, window=window, born_ms=born_ms),
        ],
        how="diagonal",
    )
    ordered = without_idle_captures(in_order(rows, CLUSTER), CLUSTER, lacking=_lacking())
    held = _filled(_inherited(ordered), events, captured(shown, CLUSTER, OF_CAPTURES))
    drivers = ("driver_instance_pool_id", "driver_instance_pool_name", "_pool_driver_node_type")
    workers = ("instance_pool_id", "instance_pool_name", "_pool_node_type")
    pooled = _with_pool(_with_pool(held, pools_silver, *workers), pools_silver, *drivers)
    nameless = told.filter(pl.col(CLUSTER).is_null()).select(
        "timestamp", pl.lit("no cluster id").alias(LEFT_OUT)
    )
    return pl.concat([_derived(pooled), nameless], how="diagonal")


def _events(audit_log_bronze: pl.LazyFrame) -> pl.LazyFrame:
    """What was done to clusters, with the cluster's id and name where the event tells them."""
    said = pl.col("_said").struct
    names = (*TEXT_FIELDS, *MAPS, *SWITCHES, *SIZE, "autotermination_minutes")
    ids = (CLUSTER, "clusterId", "clusterName", "spark_version", "effective_spark_version")
    is_creation = pl.col("actionName") == "create"
    return (
        audit_log_bronze.filter(
            pl.col("serviceName") == "clusters",
            pl.col("actionName") != "changeClusterAcl",
            audit.is_successful(),
        )
        .with_columns(audit.parameters(*names, *ids).alias("_said"))
        .filter(~of_warehouse(said.field("custom_tags")))
        .with_columns(
            pl.when(is_creation)
            .then(audit.of_result(CLUSTER))
            .otherwise(pl.coalesce(said.field(CLUSTER), said.field("clusterId")))
            .alias(CLUSTER),
            pl.coalesce(said.field("cluster_name"), said.field("clusterName")).alias(
                "cluster_name"
            ),
        )
    )


def _with_ids(events: pl.LazyFrame, carried: pl.LazyFrame) -> pl.LazyFrame:
    """Changes of clusters; a cluster without id is the only one that has its name.

    The one that had it before the day, but for a new cluster, else the one that a later event of
    the day tells of.
    """
    changes = events.filter(pl.col("actionName").is_in([*RANKS]))
    of_past = _only_id(carried.select("cluster_name", CLUSTER), "cluster_name").rename(
        {"_only_id": "_past_id"}
    )
    lacking = changes.filter(pl.col(CLUSTER).is_null(), pl.col("cluster_name").is_not_null())
    event = ("timestamp", "actionName", "requestId", "hashKey", "cluster_name")
    later = (
        lacking.select(event)
        .join(events.select("cluster_name", CLUSTER, _later_ms="timestamp"), on="cluster_name")
        .filter(pl.col("_later_ms") >= pl.col("timestamp"))
        .join(carried.select(CLUSTER, _is_known=pl.lit(value=True)), on=CLUSTER, how="left")
        .filter((pl.col("actionName") != "create") | pl.col("_is_known").is_null())
    )
    of_day = _only_id(later.select(*event, CLUSTER), *event).rename({"_only_id": "_day_id"})
    past_id = pl.when(pl.col("actionName") != "create").then("_past_id")
    return (
        changes.join(of_past, on="cluster_name", how="left")
        .join(of_day, on=event, how="left", nulls_equal=True)
        .with_columns(pl.coalesce(CLUSTER, past_id, "_day_id").alias(CLUSTER))
    )


def _only_id(rows: pl.LazyFrame, *by: str) -> pl.LazyFrame:
    """The cluster that rows with equal values name, unless they name several."""
    return (
        rows.drop_nulls([CLUSTER, "cluster_name"])
        .group_by(by)
        .agg(pl.col(CLUSTER).unique())
        .filter(pl.col(CLUSTER).list.len() == 1)
        .select(*by, pl.col(CLUSTER).list.first().alias("_only_id"))
    )


def _told(changes: pl.LazyFrame) -> pl.LazyFrame:
    """Requests as rows."""
    said = pl.col("_said").struct
    action, email = pl.col("actionName"), audit.user_email()
    is_job = is_automated(pl.col("cluster_name")).fill_null(value=False)
    creator = pl.when(is_job).then(pl.lit("JobsService")).otherwise(email)
    is_deletion = action == "permanentDelete"
    as_it_is = [name for name in TEXT_FIELDS if name != "cluster_name"]
    scales = autoscale_text(
        *(said.field("autoscale").str.json_path_match(f"$.{each}") for each in LIMITS)
    )
    return changes.select(
        "actionName",
        "timestamp",
        "requestId",
        "hashKey",
        CLUSTER,
        "cluster_name",
        *(said.field(name) for name in as_it_is),
        *(texts_in(said.field(name)).alias(name) for name in MAPS),
        *((said.field(name).str.to_lowercase() != "false").alias(name) for name in SWITCHES),
        pl.coalesce(said.field("effective_spark_version"), said.field("spark_version")).alias(
            "spark_version"
        ),
        said.field("autotermination_minutes").cast(pl.Int32, strict=False),
        scales.alias("autoscale"),
        pl.when(scales.is_null())
        .then(said.field("num_workers").cast(pl.Int32, strict=False))
        .alias("num_workers"),
        pl.when(action == "create").then(creator).alias("createdBy"),
        pl.when((action == "edit") & ~is_job).then(email).alias("lastEditedBy"),
        pl.when(is_deletion).then(email).alias("deleted_by"),
        rank_of(action, RANKS).alias(RANK),
        is_deletion.alias(IS_DELETION),
        pl.lit(TOLD).alias(FROM),
    )


def _one_per_key(told: pl.LazyFrame) -> pl.LazyFrame:
    """Of requests with one key the last: what it says holds."""
    return (
        told.filter(pl.col(CLUSTER).is_not_null())
        .sort("requestId", "hashKey", nulls_last=False)
        .unique([CLUSTER, "timestamp", "actionName"], keep="last", maintain_order=True)
    )


def _held_before(carried: pl.LazyFrame) -> pl.LazyFrame:
    user = pl.col("security_profile").struct.field("single_user_profile").struct
    kept = (*DEFINITION, *SIZE, "createdBy", "lastEditedBy", "actionName", "timestamp", CLUSTER)
    return carried.select(
        *(name for name in kept if name != "single_user_name"),
        user.field("single_user_name"),
        pl.lit(CARRIED).alias(FROM),
        pl.lit(0, pl.Int32).alias(RANK),
        (pl.col("actionName") == "permanentDelete").alias(IS_DELETION),
        pl.lit(None, pl.String).alias("requestId"),
        pl.lit(None, pl.Int64).alias("hashKey"),
    )


def _shown(clusters_snapshot_bronze: pl.LazyFrame) -> pl.LazyFrame:
    """Captures in the spelling of requests."""
    tags = json_text(pl.col("custom_tags"))
    limits = pl.col("autoscale").struct
    scales = autoscale_text(*(limits.field(each) for each in LIMITS))
    return clusters_snapshot_bronze.select(
        CLUSTER,
        pl.when(of_warehouse(tags))
        .then(pl.lit("SQLAnalytics"))
        .otherwise("cluster_name")
        .alias("cluster_name"),
        "driver_node_type_id",
        "node_type_id",
        json_text(pl.col("cluster_log_conf")),
        json_text(pl.col("init_scripts")),
        tags,
        "cluster_source",
        json_text(pl.col("spark_env_vars")),
        json_text(pl.col("spark_conf")),
        "driver_instance_pool_id",
        "instance_pool_id",
        "runtime_engine",
        "policy_id",
        "single_user_name",
        *MAPS,
        "enable_elastic_disk",
        pl.coalesce("effective_spark_version", "spark_version").alias("spark_version"),
        pl.col("autotermination_minutes").cast(pl.Int32, strict=False),
        scales.alias("autoscale"),
        pl.when(scales.is_null())
        .then(pl.col("num_workers").cast(pl.Int32, strict=False))
        .alias("num_workers"),
        pl.coalesce("creator_user_name", pl.col("default_tags").map.get("Creator")).alias(
            "createdBy"
        ),
        "start_time",
        "captured_at_ms",
        "is_closing",
        "is_first_day",
    )


def _lacking() -> dict[str, pl.Expr]:
    """What a version may miss that a capture tells."""
    is_single = is_single_node(pl.col("spark_conf"))
    has_no_size = ~is_single & pl.all_horizontal(pl.col(SIZE).is_null())
    return {
        **{name: pl.col(name).is_null() for name in (*ALWAYS, "createdBy")},
        "node_type_id": pl.col("node_type_id").is_null() & ~is_single,
        **dict.fromkeys(SIZE, has_no_size),
    }


def _inherited(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Ordered rows with what they repeat of the rows before."""
    life = (CLUSTER, "_life")
    is_partial = pl.col(IS_MEND) | pl.col("actionName").is_in(["resize", "permanentDelete"])
    defines = ~is_partial | (pl.col(FROM) == CARRIED)
    sizes = defines | (
        (pl.col("actionName") == "resize") & pl.any_horizontal(pl.col(SIZE).is_not_null())
    )
    at = pl.int_range(pl.len(), dtype=pl.Int64)
    has_own_driver = pl.all_horizontal(
        pl.col("instance_pool_id", "driver_instance_pool_id").is_null()
    )
    is_gone_already = pl.col(IS_DELETION) & pl.col(IS_DELETION).shift().over(CLUSTER)
    return (
        rows.with_columns(
            life_number(CLUSTER).alias("_life"),
            pl.when(is_gone_already).then(pl.lit("deleted already")).alias(LEFT_OUT),
        )
        .with_columns(
            pl.when(defines).then(at).forward_fill().over(life).alias("_definition"),
            pl.when(sizes).then(at).forward_fill().over(life).alias("_size"),
        )
        .with_columns(
            pl.col(DEFINITION).gather(pl.col("_definition")).over(life),
            pl.col(SIZE).gather(pl.col("_size")).over(life),
            pl.col("createdBy", "lastEditedBy").forward_fill().over(life),
        )
        .with_columns(
            pl.col("spark_version").forward_fill().over(life),
            pl.when(has_own_driver)
            .then("driver_node_type_id")
            .forward_fill()
            .over(life)
            .alias("_driver_before"),
            position(CLUSTER),
        )
        .filter(pl.col(FROM) != CARRIED)
    )


def _filled(rows: pl.LazyFrame, events: pl.LazyFrame, captures: pl.LazyFrame) -> pl.LazyFrame:
    """Rows with what captures show of them, the one that was taken after the row first.

    Of a cluster that nothing has defined, all is taken from them.
    """
    names = events.select(CLUSTER, "timestamp", _later_name="cluster_name").drop_nulls()
    is_after = pl.col("captured_at_ms_of_day") >= pl.col("timestamp")
    is_undefined = pl.col("spark_version").is_null()
    is_single = is_single_node(pl.col("spark_conf"))
    has_size = is_single | pl.any_horizontal(pl.col(SIZE).is_not_null())

    def shown(name: str) -> pl.Expr:
        of_day, closing = f"{name}_of_day", f"{name}_closing"
        return (
            pl.when(is_after)
            .then(pl.coalesce(of_day, closing))
            .otherwise(pl.coalesce(closing, of_day))
        )

    def filled(name: str) -> pl.Expr:
        always = name in {*ALWAYS, "createdBy"}
        may_fill = pl.lit(value=True) if always else is_undefined
        if name in SIZE:
            may_fill = ~has_size
        return pl.coalesce(name, pl.when(may_fill).then(shown(name))).alias(name)

    return (
        rows.sort("timestamp", SEQ)
        .join_asof(
            names.sort("timestamp", "_later_name"),
            on="timestamp",
            by=CLUSTER,
            strategy="forward",
            check_sortedness=False,
        )
        .with_columns(pl.coalesce("cluster_name", "_later_name").alias("cluster_name"))
        .with_columns(pl.col("cluster_name").forward_fill().over(CLUSTER, "_life"))
        .join(captures, on=CLUSTER, how="left")
        .with_columns(
            shown("driver_node_type_id").alias("_shown_driver"),
            shown("node_type_id").alias("_shown_node"),
            *(
                filled(name)
                for name in OF_CAPTURES
                if name not in {"driver_node_type_id", "node_type_id"}
            ),
        )
    )


def _with_pool(
    rows: pl.LazyFrame, pools_silver: pl.LazyFrame, pool: str, name: str, node_type: str
) -> pl.LazyFrame:
    """Rows with the name and the node type that a pool had then, else first on the day."""
    versions = pools_silver.select(
        "timestamp",
        SEQ,
        pl.col("instance_pool_id").alias(pool),
        pl.col("instance_pool_name").alias("_name"),
        pl.col("node_type_id").alias("_node_type"),
    ).sort("timestamp", SEQ)
    found = rows.sort("timestamp")
    for strategy in ("backward", "forward"):
        found = found.join_asof(
            versions.drop(SEQ),
            on="timestamp",
            by=pool,
            strategy=strategy,
            allow_exact_matches=strategy == "forward",
            check_sortedness=False,
            suffix=f"_{strategy}",
        )
    has_pool = pl.col(pool).is_not_null()
    return found.with_columns(
        pl.when(has_pool).then(pl.coalesce("_name", "_name_forward", name)).alias(name),
        pl.when(has_pool).then(pl.coalesce("_node_type", "_node_type_forward")).alias(node_type),
    ).drop("_name", "_node_type", "_name_forward", "_node_type_forward")


def _derived(rows: pl.LazyFrame) -> pl.LazyFrame:
    """What follows from a definition."""
    is_job = is_automated(pl.col("cluster_name"))
    is_single = is_single_node(pl.col("spark_conf"))
    own, node = pl.col("driver_node_type_id"), pl.col("node_type_id")
    pool_node, pool_driver = pl.col("_pool_node_type"), pl.col("_pool_driver_node_type")
    has_pool = pl.col("instance_pool_id").is_not_null()
    driver = (
        pl.when(pl.col("driver_instance_pool_id").is_not_null())
        .then(pl.coalesce(pool_driver, own))
        .when(has_pool)
        .then(pl.coalesce(pool_node, node))
        .when(is_job)
        .then(pl.coalesce(own, node))
        .when(is_single)
        .then(pl.coalesce(node, own))
        .otherwise(pl.coalesce(own, "_driver_before", node))
    )
    worker = pl.when(has_pool).then(pl.coalesce(pool_node, node)).otherwise(node)
    return rows.select(
        pl.lit("clusters").alias("serviceName"),
        "actionName",
        "timestamp",
        CLUSTER,
        "cluster_name",
        pl.coalesce(driver, "_shown_driver").alias("driver_node_type_id"),
        pl.when(~is_single).then(pl.coalesce(worker, "_shown_node")).alias("node_type_id"),
        pl.when(is_single).then(pl.lit(0, pl.Int32)).otherwise("num_workers").alias("num_workers"),
        pl.when(~is_single).then("autoscale").alias("autoscale"),
        "autotermination_minutes",
        *(pl.col(name).fill_null(value=True) for name in SWITCHES),
        is_job.alias("is_automated"),
        cluster_type(pl.col("spark_conf"), pl.col("custom_tags")).alias("cluster_type"),
        security_profile(
            pl.col("spark_conf"), pl.col("single_user_name"), pl.col("aws_attributes")
        ).alias("security_profile"),
        "cluster_log_conf",
        "init_scripts",
        "custom_tags",
        "cluster_source",
        *MAPS,
        "spark_env_vars",
        "spark_conf",
        "acl_path_prefix",
        "driver_instance_pool_id",
        "instance_pool_id",
        "driver_instance_pool_name",
        "instance_pool_name",
        "spark_version",
        runtime_engine(pl.col("runtime_engine"), pl.col("spark_version")).alias("runtime_engine"),
        "idempotency_token",
        "policy_id",
        "createdBy",
        "lastEditedBy",
        "deleted_by",
        SEQ,
        LEFT_OUT,
    )
