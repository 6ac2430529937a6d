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

from overwatch_assets.expressions.arithmetic import quotient
from overwatch_assets.expressions.cluster_definitions import PHOTON
from overwatch_assets.expressions.durations import stop_ms
from overwatch_assets.expressions.price_keys import (
    cluster_kind,
    folded,
    is_job_cluster,
)
from overwatch_assets.expressions.price_lookup import with_valid
from overwatch_assets.expressions.rules import agree, any_null, keeps_rows, remedy
from overwatch_assets.module import (
    HOLDS,
    LEFT_OUT,
    PARTITION_DATE,
    TIMESTAMP,
    AsOf,
    Carried,
    Column,
    Day,
    Grain,
    Reference,
    Rule,
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

HOUR_MS = 3_600_000
UNKNOWN_SKU = "unknown"
SINGLE_NODE_TAG, SINGLE_NODE = "SingleNode", "Single Node"
STATE = ("cluster_id", "unixTimeMS_state_start", "state", "seq")
AMOUNTS = (
    "worker_potential_core_H",
    "driver_dbus",
    "worker_dbus",
    "total_dbus",
    "core_hours",
    "driver_compute_cost",
    "worker_compute_cost",
    "driver_dbu_cost",
    "worker_dbu_cost",
    "total_compute_cost",
    "total_DBU_cost",
    "total_driver_cost",
    "total_worker_cost",
    "total_cost",
)
"""What grows with the length of a state."""

OF_STATES = (
    *STATE,
    "state_start_date",
    "unixTimeMS_state_end",
    "timestamp_state_start",
    "timestamp_state_end",
    "current_num_workers",
    "target_num_workers",
    "uptime_since_restart_S",
    "cloud_billable",
    "databricks_billable",
    "state_dates",
    "days_in_state",
    "end_imputed",
)
DEFINITION = (
    "cluster_name",
    "custom_tags",
    "driver_node_type_id",
    "node_type_id",
    "cluster_type",
    "runtime_engine",
)
FOR_KIND = ("cluster_source", "spark_version")
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
    Column("state_start_date", pl.Date, "Day of the start in UTC; not the partition."),
    Column("unixTimeMS_state_start", pl.Int64, "Start, epoch ms."),
    Column(
        "unixTimeMS_state_end",
        pl.Int64,
        "Last ms, epoch: one before the next state; the end of what is known while open.",
    ),
    Column("timestamp_state_start", TIMESTAMP, "Start in UTC."),
    Column("timestamp_state_end", TIMESTAMP, "unixTimeMS_state_end in UTC."),
    Column(
        "state",
        pl.String,
        "Type of the event that opened it, or TERMINATING_IMPUTED, PERMENANT_DELETE.",
    ),
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
    Column("uptime_in_state_S", pl.Float64, "From start to the next state's in s."),
    Column("uptime_in_state_H", pl.Float64, "From start to the next state's in h."),
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
    Column("state_dates", pl.List(pl.Date), "Days in UTC from start to end, both included."),
    Column("days_in_state", pl.Int32, "Number of state_dates."),
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
    Column("end_imputed", pl.Boolean, "No event told the end. False while open."),
)


PARTS = ("driver_compute_cost", "driver_dbu_cost", "worker_compute_cost", "worker_dbu_cost")
"""What the total cost is made of."""


def _sums(rows: pl.LazyFrame) -> pl.LazyFrame:
    """States whose totals are the sums of their parts, which are quantities by prices."""
    compute_driver, dbu_driver, compute_worker, dbu_worker = map(pl.col, PARTS)
    rate, is_billed = pl.col("dbu_rate"), pl.col("databricks_billable")
    dbus = {
        role: pl.when(pl.col(f"{role}_dbus").ne_missing(0.0))
        .then(pl.col(f"{role}_dbus") * rate)
        .otherwise(0.0)
        for role in ("driver", "worker")
    }
    price, hours = "Compute_Contract_Price", pl.col("uptime_in_state_H")
    runs, wanted = pl.col("cloud_billable"), pl.col("target_num_workers")
    has_workers = ~_is_single(pl.col("custom_tags"), pl.col("cluster_type")) & (wanted != 0)
    by_price = {
        "driver": _amount(runs, pl.col("driverSpecs").struct.field(price) * hours),
        "worker": _amount(
            runs & has_workers, wanted * pl.col("workerSpecs").struct.field(price) * hours
        ),
    }
    sums = {
        "driver_compute_cost": by_price["driver"],
        "worker_compute_cost": by_price["worker"],
        "total_compute_cost": compute_driver + compute_worker,
        "total_DBU_cost": dbu_driver + dbu_worker,
        "total_driver_cost": compute_driver + dbu_driver,
        "total_worker_cost": compute_worker + dbu_worker,
        "total_cost": compute_driver + dbu_driver + compute_worker + dbu_worker,
        "total_dbus": pl.col("driver_dbus") + pl.col("worker_dbus"),
        "driver_dbu_cost": dbus["driver"],
        "worker_dbu_cost": dbus["worker"],
    }
    uses_dbus = is_billed | (pl.col("total_dbus") == 0)
    is_negative = pl.any_horizontal(pl.col(name) < 0 for name in AMOUNTS)
    return rows.select(
        *STATE,
        "total_cost",
        cost_of_parts=sums["total_cost"],
        cost_by_prices=by_price["driver"] + by_price["worker"] + dbus["driver"] + dbus["worker"],
        **{
            HOLDS: pl.all_horizontal(agree(pl.col(name), each) for name, each in sums.items())
            & uses_dbus.fill_null(value=False)
            & ~is_negative.fill_null(value=False)
        },
    )


def _unknown(rows: pl.LazyFrame) -> pl.LazyFrame:
    """States whose amounts are null exactly where a figure is not known that they need."""
    driver, worker = pl.col("driverSpecs").struct, pl.col("workerSpecs").struct
    single = _is_single(pl.col("custom_tags"), pl.col("cluster_type"))
    runs, is_billed = pl.col("cloud_billable"), pl.col("databricks_billable")
    no_rate = pl.col("dbu_rate").is_null()
    wanted, current = pl.col("target_num_workers") != 0, pl.col("current_num_workers") != 0
    price, dbus = "Compute_Contract_Price", "Hourly_DBUs"
    lacking = {
        "driver_compute_cost": runs & driver.field(price).is_null(),
        "worker_compute_cost": runs & ~single & wanted & worker.field(price).is_null(),
        "driver_dbus": is_billed & driver.field(dbus).is_null(),
        "worker_dbus": is_billed & ~single & current & worker.field(dbus).is_null(),
        "driver_dbu_cost": pl.col("driver_dbus").ne_missing(0.0)
        & (no_rate | pl.col("driver_dbus").is_null()),
        "worker_dbu_cost": pl.col("worker_dbus").ne_missing(0.0)
        & (no_rate | pl.col("worker_dbus").is_null()),
    }
    nulls = {name: pl.col(name).is_null() for name in lacking}
    return rows.select(
        *STATE,
        figures_unknown=pl.sum_horizontal(each.cast(pl.Int64) for each in lacking.values()),
        amounts_unknown=pl.sum_horizontal(each.cast(pl.Int64) for each in nulls.values()),
        **{
            HOLDS: pl.all_horizontal(nulls[name] == each for name, each in lacking.items())
            & (any_null(lacking) == pl.col("cost_reason").is_not_null())
        },
    )


def _incomplete(rows: pl.LazyFrame) -> pl.LazyFrame:
    """What no price list knows, with the states that lack it."""
    named = ("cost_reason", "driver_node_type_id", "node_type_id", "sku")
    return (
        rows.drop_nulls("cost_reason")
        .group_by(named)
        .agg(
            rows=pl.len().cast(pl.Int64),
            DBU=pl.col("total_dbus").sum(),
            hours=pl.col("uptime_in_state_H").sum(),
        )
        .with_columns(pl.lit(value=False).alias(HOLDS))
    )


STATE_MS = stop_ms(pl.col("unixTimeMS_state_end"), pl.col("is_open")) - pl.col(
    "unixTimeMS_state_start"
)

RULES = (
    keeps_rows(
        "cluster_state_detail_silver",
        by={"cluster_id": pl.col("cluster_id")},
        sums={"state_ms": (STATE_MS, STATE_MS)},
    ),
    Rule(
        name="costs_are_sums",
        doc="a cost is quantity by price, a total the sum of its parts, nothing is less than 0",
        compared=_sums,
        by=STATE,
        remedy=remedy("cluster_state_detail_silver"),
    ),
    Rule(
        name="unknown_is_null",
        doc="a cost is null, with a reason, exactly where a price or node type is not known",
        compared=_unknown,
        by=STATE,
        remedy=remedy("cluster_state_detail_silver"),
    ),
    Rule(
        name="prices_are_known",
        doc="every node type and sku in use has a price",
        compared=_incomplete,
        by=("cost_reason", "driver_node_type_id", "node_type_id", "sku"),
        remedy="Add what is named to your price files and load the days again: docs/prices.md.",
        is_warning=True,
    ),
)


@module(
    module_id=3005,
    name="Gold_ClusterStateFact",
    scope=Scope.CLUSTER_EVENTS,
    grain=Grain.INTERVAL,
    columns=COLUMNS,
    keys=STATE,
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
        "unixTimeMS_state_end",
        "timestamp_state_end",
        "uptime_since_restart_S",
        "uptime_in_state_S",
        "uptime_in_state_H",
        "state_dates",
        "days_in_state",
        "end_imputed",
        *AMOUNTS,
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
    until_ms = stop_ms(pl.col("unixTimeMS_state_end"), pl.col("is_open"))
    uptime_ms = until_ms - pl.col("unixTimeMS_state_start")
    states = cluster_state_detail_silver.select(
        *OF_STATES,
        "is_open",
        PARTITION_DATE.name,
        uptime_in_state_S=quotient(uptime_ms, 1_000),
        uptime_in_state_H=quotient(uptime_ms, HOUR_MS),
    )
    held = _with_held(_with_version(states, cluster_spec_silver), carried, window)
    named = held.with_columns(_definition(name) for name in DEFINITION)
    billed = _with_sku(named, sku_choice, dbucostdetails)
    engined = _with_photon(billed, photon_multipliers)
    priced = _with_specs(_with_specs(engined, instancedetails, "driver"), instancedetails, "worker")
    costed = _with_costs(_with_quantities(priced))
    stored = costed.select(*(column.name for column in COLUMNS), "is_open", PARTITION_DATE.name)
    return pl.concat([stored, _unpriced(costed)], how="diagonal")


def _with_version(states: pl.LazyFrame, versions: pl.LazyFrame) -> pl.LazyFrame:
    """States with the version before their start, else the first one after, in `_version`."""
    fields = pl.struct(*DEFINITION, *FOR_KIND)
    ordered = versions.select("cluster_id", "timestamp", "seq", _version=fields).sort(
        "timestamp", "seq"
    )
    start = "unixTimeMS_state_start"
    past = ordered.select("cluster_id", "timestamp", _past="_version")
    # Of versions of one instant the first is met when looking ahead.
    ahead = ordered.unique(["cluster_id", "timestamp"], keep="first", maintain_order=True).select(
        "cluster_id", "timestamp", _ahead="_version"
    )
    return (
        states.sort(start)
        .join_asof(
            past,
            left_on=start,
            right_on="timestamp",
            by="cluster_id",
            allow_exact_matches=False,
            check_sortedness=False,
        )
        .drop("timestamp")
        .join_asof(
            ahead,
            left_on=start,
            right_on="timestamp",
            by="cluster_id",
            strategy="forward",
            check_sortedness=False,
        )
        .with_columns(_version=pl.coalesce("_past", "_ahead"))
        .drop("timestamp", "_past", "_ahead")
    )


def _with_held(states: pl.LazyFrame, carried: pl.LazyFrame, window: Window) -> pl.LazyFrame:
    """States with what the cluster's open state had resolved, in columns `_held_...`.

    `_is_held`: the state is that one, or began before the day: no version tells of then any more.
    """
    own = carried.select("cluster_id", *(pl.col(name).alias(f"_held_{name}") for name in RESOLVED))
    began_before = pl.col("unixTimeMS_state_start") < window.since_ms
    return states.join(
        own.with_columns(_has_held=pl.lit(value=True)), on="cluster_id", how="left"
    ).with_columns(
        _is_held=began_before & pl.col("_has_held").fill_null(value=False),
        _is_whole=pl.col("_held_driver_node_type_id").is_not_null()
        & (
            pl.col("_held_node_type_id").is_not_null()
            | _is_single(pl.col("_held_custom_tags"), pl.col("_held_cluster_type"))
        ),
    )


def _is_single(custom_tags: pl.Expr, cluster_type: pl.Expr) -> pl.Expr:
    """Whether the driver is the only machine; without tags the type of the cluster tells."""
    is_tagged = custom_tags.str.json_path_match("$.ResourceClass") == SINGLE_NODE_TAG
    is_typed = cluster_type == SINGLE_NODE
    return is_tagged.fill_null(value=False) | is_typed.fill_null(value=False)


def _definition(name: str) -> pl.Expr:
    """A column of the definition that holds for a state."""
    held, told = pl.col(f"_held_{name}"), pl.col("_version").struct.field(name)
    known = pl.when("_is_whole").then(held).otherwise(pl.coalesce(held, told))
    has_version = pl.col("_version").is_not_null()
    return pl.when("_is_held").then(known).when(has_version).then(told).otherwise(held).alias(name)


def _kept(name: str, found: pl.Expr) -> pl.Expr:
    """What the state was given when it began, else what is found."""
    return pl.when("_is_held").then(pl.coalesce(f"_held_{name}", found)).otherwise(found)


def _with_sku(
    states: pl.LazyFrame, sku_choice: pl.LazyFrame, dbucostdetails: pl.LazyFrame
) -> pl.LazyFrame:
    """States with `isAutomated`, `sku` and `dbu_rate`: the fallback where the sku has no price."""
    at = pl.col("timestamp_state_start")
    version = pl.col("_version").struct
    source = version.field("cluster_source")
    name = pl.col("cluster_name")
    kinds = states.with_columns(
        isAutomated=_kept("isAutomated", is_job_cluster(name, source)),
        _kind=cluster_kind(
            cluster_name=name,
            cluster_source=source,
            cluster_type=pl.col("cluster_type"),
            spark_version=version.field("spark_version"),
        ),
    )
    chosen = with_valid(
        kinds,
        sku_choice,
        key=pl.col("_kind"),
        reference_key=pl.col("cluster_kind"),
        at=at,
        columns={"_sku": pl.col("sku"), "_fallback": pl.col("fallback_sku")},
    )
    for key, price in (("_sku", "_price"), ("_fallback", "_fallback_price")):
        chosen = with_valid(
            chosen,
            dbucostdetails,
            key=folded(pl.col(key)),
            reference_key=folded(pl.col("sku")),
            at=at,
            columns={price: pl.col("contract_price")},
        )
    falls_back = pl.col("_price").is_null() & pl.col("_fallback_price").is_not_null()
    sku = pl.when(falls_back).then("_fallback").otherwise("_sku")
    held_sku = pl.when(pl.col("_held_sku") != UNKNOWN_SKU).then("_held_sku")
    return chosen.with_columns(
        _held_sku=held_sku,
        dbu_rate=_kept("dbu_rate", pl.coalesce("_price", "_fallback_price")),
    ).with_columns(sku=_kept("sku", sku).fill_null(UNKNOWN_SKU))


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
    ).with_columns(_kept(f"{role}Specs", pl.col(found)).alias(f"{role}Specs"))


def _with_quantities(states: pl.LazyFrame) -> pl.LazyFrame:
    """States with core hours and DBUs."""
    single = _is_single(pl.col("custom_tags"), pl.col("cluster_type"))
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
        worker_potential_core_H=_amount(
            is_billed, potential.otherwise(_of_workers(current, worker_cores * hours))
        ),
        core_hours=_amount(
            runs,
            driver_cores * hours
            + pl.when(single).then(0.0).otherwise(_of_workers(active, worker_cores * hours)),
        ).round(6),
        driver_dbus=_amount(is_billed, driver.field("Hourly_DBUs") * dbu_hours),
        worker_dbus=_amount(
            is_billed & ~single, _of_workers(current, worker.field("Hourly_DBUs") * dbu_hours)
        ),
    )


def _amount(counts: pl.Expr, amount: pl.Expr) -> pl.Expr:
    """An amount, 0 where it does not count; unknown stays null."""
    return pl.when(counts).then(amount).otherwise(0.0)


def _of_workers(workers: pl.Expr, each: pl.Expr) -> pl.Expr:
    """What several workers amount to; none amount to 0, whatever they are."""
    return pl.when(workers == 0).then(0.0).otherwise(workers * each)


def _with_costs(states: pl.LazyFrame) -> pl.LazyFrame:
    """States with their costs, the sums, and why one is not known."""
    hours, rate = pl.col("uptime_in_state_H"), pl.col("dbu_rate")
    runs, price = pl.col("cloud_billable"), "Compute_Contract_Price"
    driver_price = pl.col("driverSpecs").struct.field(price)
    worker_price = pl.col("workerSpecs").struct.field(price)
    costs = states.with_columns(
        driver_compute_cost=_amount(runs, driver_price * hours),
        worker_compute_cost=_amount(
            runs & ~pl.col("_is_single"),
            _of_workers(pl.col("target_num_workers"), worker_price * hours),
        ),
        driver_dbu_cost=_amount(
            pl.col("driver_dbus").ne_missing(0.0), pl.col("driver_dbus") * rate
        ),
        worker_dbu_cost=_amount(
            pl.col("worker_dbus").ne_missing(0.0), pl.col("worker_dbus") * rate
        ),
        total_dbus=pl.col("driver_dbus") + pl.col("worker_dbus"),
    )
    return costs.with_columns(
        total_compute_cost=pl.col("driver_compute_cost") + pl.col("worker_compute_cost"),
        total_DBU_cost=pl.col("driver_dbu_cost") + pl.col("worker_dbu_cost"),
        total_driver_cost=pl.col("driver_compute_cost") + pl.col("driver_dbu_cost"),
        total_worker_cost=pl.col("worker_compute_cost") + pl.col("worker_dbu_cost"),
    ).with_columns(
        total_cost=pl.col("total_compute_cost") + pl.col("total_DBU_cost"),
        cost_reason=_cost_reason(),
    )


def _cost_reason() -> pl.Expr:
    """What is missing where an amount is null."""
    driver, worker = pl.col("driverSpecs"), pl.col("workerSpecs")
    has_dbus = pl.col("driver_dbus").ne_missing(0.0) | pl.col("worker_dbus").ne_missing(0.0)
    is_told = pl.col("driver_node_type_id").is_not_null() | pl.col("cluster_name").is_not_null()
    is_rated = pl.col("dbu_rate").is_not_null()
    is_unknown_sku = pl.col("sku") == UNKNOWN_SKU
    driver_is_null = _is_null("driver_compute_cost", "driver_dbus")
    worker_is_null = _is_null("worker_compute_cost", "worker_dbus")
    reasons = {
        "specification_unknown": ~is_told & (driver_is_null | worker_is_null),
        "driver_node_type_unknown": is_told & driver.is_null() & driver_is_null,
        "worker_node_type_unknown": is_told & worker.is_null() & worker_is_null,
        "driver_price_unknown": driver.is_not_null() & _is_null("driver_compute_cost"),
        "worker_price_unknown": worker.is_not_null() & _is_null("worker_compute_cost"),
        "driver_dbus_unknown": driver.is_not_null() & _is_null("driver_dbus"),
        "worker_dbus_unknown": worker.is_not_null() & _is_null("worker_dbus"),
        "sku_unknown": has_dbus & ~is_rated & is_unknown_sku,
        "dbu_price_unknown": has_dbus & ~is_rated & ~is_unknown_sku,
    }
    told = [pl.when(applies).then(pl.lit(reason)) for reason, applies in reasons.items()]
    listed = pl.concat_str(told, separator=", ", ignore_nulls=True)
    return pl.when(listed != "").then(listed)


def _is_null(*names: str) -> pl.Expr:
    return pl.any_horizontal(pl.col(name).is_null() for name in names)


def _unpriced(states: pl.LazyFrame) -> pl.LazyFrame:
    """A count for each state without a cost, by what to look for: node types or the sku."""
    names = ("driver_node_type_id", "node_type_id", "sku")
    told = pl.concat_str(
        *(pl.col(name).fill_null("-") for name in names),
        separator=" / ",
    )
    reason = pl.format("without cost ({}): {}", told, pl.col("cost_reason"))
    return states.filter(pl.col("cost_reason").is_not_null()).select(
        "cluster_id", reason.alias(LEFT_OUT)
    )
