"""Cluster states with what they cost: one row per state of a cluster, from one event to the next.

A row lies on the day its state was decided (`cluster_state_detail_silver`), or is open on the days
before. What the cluster was and what it cost per hour when the state began holds for all of it; of
an open state only the length is not final. A driver costs while its cluster runs, workers as many
as are wanted; DBUs are those of the driver and of the workers in service, where the state is
billed, Photon included. A state lasts up to the start of the next one: what is stored as its end
is a millisecond less, what it amounts to is not. What is not known makes the costs null, never
zero: `cost_reason` says why.
"""

import polars as pl

from overwatch_assets.cost_rules.clusterstatefact import RULES
from overwatch_assets.expressions.cluster_definitions import PHOTON, is_driver_only
from overwatch_assets.expressions.cost_sums import with_totals
from overwatch_assets.expressions.price_keys import cluster_kind, folded, is_job_cluster
from overwatch_assets.expressions.price_lookup import with_valid
from overwatch_assets.expressions.rules import any_null
from overwatch_assets.expressions.state_columns import (
    DATES,
    END,
    END_IMPUTED,
    INSTANTS,
    OPENED_BY,
    START,
    START_DATE,
)
from overwatch_assets.expressions.state_costs import (
    CLUSTER_AMOUNTS,
    CLUSTER_STATE,
    GROWING,
    UPTIME,
    amount,
    dbu_cost,
    kept,
    reasons_told,
    unpriced,
    with_dbu_price,
    with_held,
    with_uptime,
)
from overwatch_assets.expressions.versions_at import with_version
from overwatch_assets.module import (
    PARTITION_DATE,
    AsOf,
    Carried,
    Column,
    Day,
    Grain,
    Reference,
    Scope,
    Window,
    module,
)

NODE_SPECS = pl.Struct(
    {
        "instance": pl.String,
        "API_Name": pl.String,
        "vCPUs": pl.Int32,
        "Memory_GB": pl.Float64,
        "Compute_Contract_Price": pl.Float64,
        "On_Demand_Cost_Hourly": pl.Float64,
        "Hourly_DBUs": pl.Float64,
        "activeFrom": pl.Date,
        "activeUntil": pl.Date,
        "isActive": pl.Boolean,
    }
)
"""What of a row of instanceDetails costs are made of."""

UNKNOWN_SKU = "unknown"
DEFINITION = (
    "cluster_name",
    "custom_tags",
    "driver_node_type_id",
    "node_type_id",
    "cluster_type",
    "runtime_engine",
)
FOR_KIND = ("cluster_source", "spark_version")
LOOKED_UP = ("driver_node_type_id", "node_type_id", "sku")
RESOLVED = (
    *DEFINITION,
    "isAutomated",
    "sku",
    "dbu_rate",
    "photon_multiplier",
    "driverSpecs",
    "workerSpecs",
)
"""What is looked up for the start of a state and holds for all of it."""


def _usd(what: str) -> str:
    return f"{what}, USD; null: see cost_reason."


COLUMNS = (
    Column("cluster_id", pl.String, "Cluster."),
    Column("cluster_name", pl.String, "Name when the state began; null: see cost_reason."),
    Column("custom_tags", pl.String, "Tags that people gave, a JSON object, as of then."),
    START_DATE,
    START,
    END,
    *INSTANTS,
    OPENED_BY,
    Column("seq", pl.Int64, "Position among the cluster's states of the same start, from 0."),
    Column("driver_node_type_id", pl.String, "Node type of the driver when the state began."),
    Column("node_type_id", pl.String, "Node type of the workers then; null: a single node."),
    Column("cluster_type", pl.String, "Single Node, High-Concurrency, SQL Analytics or Standard."),
    Column("current_num_workers", pl.Int64, "Workers in service, without the driver; 0: stopped."),
    Column("target_num_workers", pl.Int64, "Workers wanted, without the driver; 0: stopped."),
    Column(
        "uptime_since_restart_S",
        pl.Float64,
        "Sum of uptime_in_state_S of cluster_state_detail_silver, which counts up to the last ms "
        "of a state, since the cluster started, restarted or was edited, in s.",
    ),
    *UPTIME,
    Column("cloud_billable", pl.Boolean, "Machines run and cost."),
    Column("databricks_billable", pl.Boolean, "DBUs are used and cost."),
    Column("isAutomated", pl.Boolean, "Made for a run of a job; null: not known."),
    Column("sku", pl.String, "What its DBUs are billed as; unknown: nothing tells the kind."),
    Column("runtime_engine", pl.String, "PHOTON, STANDARD, or UNKNOWN: no runtime is known."),
    Column("dbu_rate", pl.Float64, "USD per DBU when the state began; null: no price is known."),
    Column(
        "photon_multiplier",
        pl.Float64,
        "What Photon multiplies DBUs with; it is in the DBUs, not in dbu_rate. 1: no Photon.",
    ),
    *DATES,
    Column(
        "worker_potential_core_H",
        pl.Float64,
        "Core hours that could run Spark tasks: of the workers in service while DBUs are billed, "
        "of a single node those of the driver. Null: see cost_reason.",
    ),
    Column("driver_dbus", pl.Float64, "DBUs of the driver; null: see cost_reason."),
    Column("worker_dbus", pl.Float64, "DBUs of the workers in service; null: see cost_reason."),
    Column("total_dbus", pl.Float64, "DBUs of both."),
    Column("core_hours", pl.Float64, "Core hours of driver and workers, to 6 digits."),
    Column("driverSpecs", NODE_SPECS, "Row of instanceDetails of the driver, as of the start."),
    Column("workerSpecs", NODE_SPECS, "Row of instanceDetails of the workers, as of the start."),
    Column("driver_compute_cost", pl.Float64, _usd("Machine of the driver")),
    Column("worker_compute_cost", pl.Float64, _usd("Machines of the workers wanted")),
    Column("driver_dbu_cost", pl.Float64, _usd("DBUs of the driver")),
    Column("worker_dbu_cost", pl.Float64, _usd("DBUs of the workers")),
    Column("total_compute_cost", pl.Float64, _usd("All machines")),
    Column("total_DBU_cost", pl.Float64, _usd("All DBUs")),
    Column("total_driver_cost", pl.Float64, _usd("Machine and DBUs of the driver")),
    Column("total_worker_cost", pl.Float64, _usd("Machines and DBUs of the workers")),
    Column("total_cost", pl.Float64, _usd("Everything")),
    Column(
        "cost_reason",
        pl.String,
        "Why a cost or a number of DBUs is null: specification_unknown, driver_ or "
        "worker_node_type_unknown, driver_ or worker_price_unknown, driver_ or "
        "worker_dbus_unknown, sku_unknown, dbu_price_unknown; several with commas. Null: all "
        "are known.",
    ),
    END_IMPUTED,
)


@module(
    module_id=3005,
    name="Gold_ClusterStateFact",
    scope=Scope.CLUSTER_EVENTS,
    grain=Grain.INTERVAL,
    columns=COLUMNS,
    keys=CLUSTER_STATE,
    reads={
        "cluster_state_detail_silver": Day(),
        "cluster_spec_silver": AsOf(),
        "instancedetails": Reference(),
        "dbucostdetails": Reference(),
        "sku_choice": Reference(),
        "photon_multipliers": Reference(),
        "carried": Carried(),
    },
    decided_by=PARTITION_DATE.name,
    provisional=(
        *GROWING,
        *CLUSTER_AMOUNTS,
        # Of a cluster of which nothing was known when the state began.
        "sku",
        "photon_multiplier",
        "cost_reason",
    ),
    rules=RULES,
)
def clusterstatefact_gold(  # noqa: PLR0917 - each is a read
    cluster_state_detail_silver: pl.LazyFrame,
    cluster_spec_silver: pl.LazyFrame,
    instancedetails: pl.LazyFrame,
    dbucostdetails: pl.LazyFrame,
    sku_choice: pl.LazyFrame,
    photon_multipliers: pl.LazyFrame,
    carried: pl.LazyFrame,
    *,
    window: Window,
) -> pl.LazyFrame:
    """Price each state by what held when it began; an open one keeps what it was given then.

    Args:
        cluster_state_detail_silver: The day's states, closed and open.
        cluster_spec_silver: What clusters were when the day began, and their changes on it.
        instancedetails: Node types and their prices over time.
        dbucostdetails: Prices of DBUs over time.
        sku_choice: What the DBUs of each kind of cluster are billed as.
        photon_multipliers: What Photon multiplies DBUs with.
        carried: Own states open when the day began: one per cluster.
        window: The day.
    """
    sizes = ("cluster_id", "current_num_workers", "target_num_workers")
    states = with_version(
        with_uptime(cluster_state_detail_silver, *sizes),
        cluster_spec_silver,
        (*DEFINITION, *FOR_KIND),
        entity="cluster_id",
        at="unixTimeMS_state_start",
    )
    held = _with_whole(with_held(states, carried, RESOLVED, window, entity="cluster_id"))
    named = held.with_columns(_definition(name) for name in DEFINITION)
    billed = _with_sku(named, sku_choice, dbucostdetails)
    engined = _with_photon(billed, photon_multipliers)
    priced = _with_specs(_with_specs(engined, instancedetails, "driver"), instancedetails, "worker")
    costed = _with_costs(_with_quantities(priced))
    stored = costed.select(*(column.name for column in COLUMNS), "is_open", PARTITION_DATE.name)
    return pl.concat([stored, unpriced(costed, "cluster_id", LOOKED_UP)], how="diagonal")


def _with_whole(states: pl.LazyFrame) -> pl.LazyFrame:
    """States with `_is_whole`: their open row knows the node types of all machines."""
    is_single = is_driver_only(pl.col("_held_custom_tags"), pl.col("_held_cluster_type"))
    has_workers_type = pl.col("_held_node_type_id").is_not_null() | is_single
    return states.with_columns(
        _is_whole=pl.col("_held_driver_node_type_id").is_not_null() & has_workers_type
    )


def _definition(name: str) -> pl.Expr:
    """A column of the definition that holds for a state."""
    held, told = pl.col(f"_held_{name}"), pl.col("_version").struct.field(name)
    known = pl.when("_is_whole").then(held).otherwise(pl.coalesce(held, told))
    has_version = pl.col("_version").is_not_null()
    return pl.when("_is_held").then(known).when(has_version).then(told).otherwise(held).alias(name)


def _with_sku(
    states: pl.LazyFrame, sku_choice: pl.LazyFrame, dbucostdetails: pl.LazyFrame
) -> pl.LazyFrame:
    """States with `isAutomated`, `sku` and `dbu_rate`."""
    version = pl.col("_version").struct
    source = version.field("cluster_source")
    name = pl.col("cluster_name")
    kind = cluster_kind(
        cluster_name=name,
        cluster_source=source,
        cluster_type=pl.col("cluster_type"),
        spark_version=version.field("spark_version"),
    )
    priced = with_dbu_price(states, kind, sku_choice, dbucostdetails)
    held_sku = pl.when(pl.col("_held_sku") != UNKNOWN_SKU).then("_held_sku")
    return priced.with_columns(
        _held_sku=held_sku,
        isAutomated=kept("isAutomated", is_job_cluster(name, source)),
        dbu_rate=kept("dbu_rate", pl.col("_dbu_rate")),
    ).with_columns(sku=kept("sku", pl.col("_sku")).fill_null(UNKNOWN_SKU))


def _with_photon(states: pl.LazyFrame, photon_multipliers: pl.LazyFrame) -> pl.LazyFrame:
    has_photon = pl.col("runtime_engine").str.to_uppercase() == PHOTON
    found = pl.when(has_photon).then(pl.col("_multiplier").fill_null(1.0)).otherwise(1.0)
    held = pl.when(pl.col("_is_held") & pl.col("_is_whole")).then("_held_photon_multiplier")
    return with_valid(
        states,
        photon_multipliers,
        key=folded(pl.col("sku")),
        reference_key=folded(pl.col("sku")),
        at=pl.col("timestamp_state_start"),
        columns={"_multiplier": pl.col("multiplier")},
    ).with_columns(photon_multiplier=pl.coalesce(held, found))


def _with_specs(states: pl.LazyFrame, instancedetails: pl.LazyFrame, role: str) -> pl.LazyFrame:
    """States with the row of instanceDetails of the driver's or the workers' node type."""
    node_type = "driver_node_type_id" if role == "driver" else "node_type_id"
    found = f"_{role}_specs"
    return with_valid(
        states,
        instancedetails,
        key=folded(pl.col(node_type)),
        reference_key=folded(pl.col("API_Name")),
        at=pl.col("timestamp_state_start"),
        columns={found: pl.struct(field.name for field in NODE_SPECS.fields)},
    ).with_columns(kept(f"{role}Specs", pl.col(found)).alias(f"{role}Specs"))


def _with_quantities(states: pl.LazyFrame) -> pl.LazyFrame:
    """States with core hours and DBUs."""
    single = is_driver_only(pl.col("custom_tags"), pl.col("cluster_type"))
    hours, current, target = (
        pl.col(name) for name in ("uptime_in_state_H", "current_num_workers", "target_num_workers")
    )
    driver, worker = pl.col("driverSpecs").struct, pl.col("workerSpecs").struct
    driver_cores, worker_cores = driver.field("vCPUs"), worker.field("vCPUs")
    is_shrinking = (pl.col("state") == "RESIZING") & (target < current)
    active = pl.when(is_shrinking).then(target).otherwise(current)
    is_billed, runs = pl.col("databricks_billable"), pl.col("cloud_billable")
    dbu_hours = hours * pl.col("photon_multiplier")
    potential = pl.when(single).then(driver_cores * hours)
    return states.with_columns(
        _is_single=single,
        worker_potential_core_H=amount(
            is_billed, potential.otherwise(_of_workers(current, worker_cores * hours))
        ),
        core_hours=amount(
            runs,
            driver_cores * hours
            + pl.when(single).then(0.0).otherwise(_of_workers(active, worker_cores * hours)),
        ).round(6),
        driver_dbus=amount(is_billed, driver.field("Hourly_DBUs") * dbu_hours),
        worker_dbus=amount(
            is_billed & ~single, _of_workers(current, worker.field("Hourly_DBUs") * dbu_hours)
        ),
    )


def _of_workers(workers: pl.Expr, each: pl.Expr) -> pl.Expr:
    """What several workers amount to; none amount to 0, whatever they are."""
    return pl.when(workers == 0).then(0.0).otherwise(workers * each)


def _with_costs(states: pl.LazyFrame) -> pl.LazyFrame:
    """States with their costs, the sums, and why one is not known."""
    hours, price = pl.col("uptime_in_state_H"), "Compute_Contract_Price"
    runs, wanted = pl.col("cloud_billable"), pl.col("target_num_workers")
    driver_price = pl.col("driverSpecs").struct.field(price)
    worker_price = pl.col("workerSpecs").struct.field(price)
    costs = states.with_columns(
        driver_compute_cost=amount(runs, driver_price * hours),
        worker_compute_cost=amount(
            runs & ~pl.col("_is_single"), _of_workers(wanted, worker_price * hours)
        ),
        driver_dbu_cost=dbu_cost("driver_dbus"),
        worker_dbu_cost=dbu_cost("worker_dbus"),
        total_dbus=pl.col("driver_dbus") + pl.col("worker_dbus"),
    )
    return (
        with_totals(costs)
        .rename({"total_dbu_cost": "total_DBU_cost"})
        .with_columns(cost_reason=_cost_reason())
    )


def _cost_reason() -> pl.Expr:
    """What is missing where an amount is null."""
    driver, worker = pl.col("driverSpecs"), pl.col("workerSpecs")
    has_dbus = pl.col("driver_dbus").ne_missing(0.0) | pl.col("worker_dbus").ne_missing(0.0)
    is_told = pl.col("driver_node_type_id").is_not_null() | pl.col("cluster_name").is_not_null()
    is_rated = pl.col("dbu_rate").is_not_null()
    is_unknown_sku = pl.col("sku") == UNKNOWN_SKU
    driver_is_null = any_null(("driver_compute_cost", "driver_dbus"))
    worker_is_null = any_null(("worker_compute_cost", "worker_dbus"))
    reasons = {
        "specification_unknown": ~is_told & (driver_is_null | worker_is_null),
        "driver_node_type_unknown": is_told & driver.is_null() & driver_is_null,
        "worker_node_type_unknown": is_told & worker.is_null() & worker_is_null,
        "driver_price_unknown": driver.is_not_null() & pl.col("driver_compute_cost").is_null(),
        "worker_price_unknown": worker.is_not_null() & pl.col("worker_compute_cost").is_null(),
        "driver_dbus_unknown": driver.is_not_null() & pl.col("driver_dbus").is_null(),
        "worker_dbus_unknown": worker.is_not_null() & pl.col("worker_dbus").is_null(),
        "sku_unknown": has_dbus & ~is_rated & is_unknown_sku,
        "dbu_price_unknown": has_dbus & ~is_rated & ~is_unknown_sku,
    }
    return reasons_told(reasons)
