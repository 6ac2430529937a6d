"""SQL warehouse states with what they cost: one row per state, from one event to the next.

A row lies on the day its state was decided (`warehouse_state_detail_silver`), or is open on the
days before. What the warehouse was and what it cost per hour when the state began holds for all
of it; of an open state only the length is not final. A warehouse costs the DBUs of its size for
each cluster in service, where the state is billed; machines of warehouses are not priced. A state
lasts up to the start of the next one: what is stored as its end is a millisecond less, what it
amounts to is not. What is not known makes the cost null, never zero: `cost_reason` says why.
"""

import polars as pl

from overwatch_assets.cost_rules.warehousestatefact import RULES
from overwatch_assets.expressions.json_texts import TEXTS
from overwatch_assets.expressions.price_keys import folded, warehouse_kind, warehouse_size_key
from overwatch_assets.expressions.price_lookup import with_valid
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
    GROWING,
    UPTIME,
    WAREHOUSE_AMOUNTS,
    WAREHOUSE_STATE,
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

DEFINITION = ("warehouse_name", "tags", "channel", "warehouse_type", "cluster_size")
FOR_KIND = "enable_serverless_compute"
FIGURES = ("hourly_dbus", "worker_count", "driver_vCPUs", "sku", "dbu_rate")
RESOLVED = (*DEFINITION, *FIGURES)
"""What is looked up for the start of a state and holds for all of it."""

COLUMNS = (
    Column("warehouse_id", pl.String, "SQL warehouse."),
    Column("warehouse_name", pl.String, "Name when the state began; null: never told."),
    Column("tags", TEXTS, "Tags that people gave, as of then."),
    START_DATE,
    START,
    END,
    *INSTANTS,
    OPENED_BY,
    Column("seq", pl.Int64, "Position among the warehouse's states of the same start, from 0."),
    Column("cluster_size", pl.String, "Size of each of its clusters when the state began."),
    Column("current_num_clusters", pl.Int64, "Clusters in service; 0: stopped."),
    Column("target_num_clusters", pl.Int64, "Clusters wanted; 0: stopped."),
    Column(
        "uptime_since_restart_S",
        pl.Float64,
        "Sum of uptime_in_state_S of warehouse_state_detail_silver, which counts up to the last "
        "ms of a state, since the warehouse started, in s.",
    ),
    *UPTIME,
    Column("cloud_billable", pl.Boolean, "It is up."),
    Column("databricks_billable", pl.Boolean, "DBUs are used and cost."),
    Column("warehouse_type", pl.String, "CLASSIC or PRO when the state began."),
    Column("channel", pl.String, "Name of its release channel when the state began."),
    *DATES,
    Column(
        "worker_potential_core_H",
        pl.Float64,
        "Core hours of the workers of all clusters in service while DBUs are billed, each worker "
        "taken to be as large as the driver. Null: the size or its cores are not known.",
    ),
    Column(
        "driver_dbus",
        pl.Float64,
        "DBUs of all clusters in service, under Overwatch's name; null: see cost_reason.",
    ),
    Column("hourly_dbus", pl.Float64, "DBUs per hour of one cluster of the size; null: unknown."),
    Column("worker_count", pl.Int32, "Workers of one cluster of the size; null: unknown."),
    Column("driver_vCPUs", pl.Int32, "Cores of the driver of the size; null: unknown."),
    Column(
        "sku",
        pl.String,
        "What its DBUs are billed as: sqlCompute, or serverless where that has a price; null: "
        "nothing is known of the warehouse.",
    ),
    Column("dbu_rate", pl.Float64, "USD per DBU when the state began; null: no price is known."),
    Column("total_dbu_cost", pl.Float64, "DBUs of all clusters, USD; null: see cost_reason."),
    Column(
        "cost_reason",
        pl.String,
        "Why DBUs or cost are null: specification_unknown, cluster_size_unknown, "
        "dbu_price_unknown; several with commas. Null: all is known.",
    ),
    END_IMPUTED,
)


@module(
    module_id=3020,
    name="Gold_WarehouseStateFact",
    scope=Scope.WAREHOUSE_EVENTS,
    grain=Grain.INTERVAL,
    columns=COLUMNS,
    keys=WAREHOUSE_STATE,
    reads={
        "warehouse_state_detail_silver": Day(),
        "warehouse_spec_silver": AsOf(),
        "warehousedbudetails": Reference(),
        "instancedetails": Reference(),
        "dbucostdetails": Reference(),
        "sku_choice": Reference(),
        "carried": Carried(),
    },
    decided_by=PARTITION_DATE.name,
    provisional=(
        *GROWING,
        *WAREHOUSE_AMOUNTS,
        # Of a warehouse of which nothing was known when the state began.
        "cost_reason",
    ),
    rules=RULES,
)
def warehousestatefact_gold(  # noqa: PLR0917 - each is a read
    warehouse_state_detail_silver: pl.LazyFrame,
    warehouse_spec_silver: pl.LazyFrame,
    warehousedbudetails: pl.LazyFrame,
    instancedetails: pl.LazyFrame,
    dbucostdetails: pl.LazyFrame,
    sku_choice: pl.LazyFrame,
    carried: pl.LazyFrame,
    *,
    window: Window,
) -> pl.LazyFrame:
    """Price each state by what held when it began; an open one keeps what it was given then.

    Args:
        warehouse_state_detail_silver: The day's states, closed and open.
        warehouse_spec_silver: What warehouses were when the day began, and their changes on it.
        warehousedbudetails: DBUs, workers and drivers of sizes over time.
        instancedetails: Node types, for the cores of drivers.
        dbucostdetails: Prices of DBUs over time.
        sku_choice: What the DBUs of each kind of warehouse are billed as.
        carried: Own states open when the day began: one per warehouse.
        window: The day.
    """
    sizes = ("warehouse_id", "current_num_clusters", "target_num_clusters")
    states = with_version(
        with_uptime(warehouse_state_detail_silver, *sizes),
        warehouse_spec_silver,
        (*DEFINITION, FOR_KIND),
        entity="warehouse_id",
        at="unixTimeMS_state_start",
    )
    held = with_held(states, carried, RESOLVED, window, entity="warehouse_id")
    named = held.with_columns(_definition(name) for name in DEFINITION)
    kind = pl.when(_is_told()).then(warehouse_kind(pl.col("_version").struct.field(FOR_KIND)))
    billed = with_dbu_price(named, kind, sku_choice, dbucostdetails)
    sized = _with_size(billed, warehousedbudetails, instancedetails)
    costed = _with_costs(
        sized.with_columns(kept(name, pl.col(f"_{name}")).alias(name) for name in FIGURES)
    )
    stored = costed.select(*(column.name for column in COLUMNS), "is_open", PARTITION_DATE.name)
    return pl.concat([stored, unpriced(costed, "warehouse_id", ["cluster_size"])], how="diagonal")


def _definition(name: str) -> pl.Expr:
    """A column of the definition that holds for a state.

    What a state that began earlier lacks is asked for again; a warehouse of which no version is
    known any more is what it was.
    """
    held, told = pl.col(f"_held_{name}"), pl.col("_version").struct.field(name)
    has_version = pl.col("_version").is_not_null()
    of_start = pl.when(has_version).then(told).otherwise(held)
    return pl.when("_is_held").then(pl.coalesce(held, told)).otherwise(of_start).alias(name)


def _is_told() -> pl.Expr:
    """Whether anything is known of the warehouse."""
    return pl.any_horizontal(pl.col(name).is_not_null() for name in DEFINITION)


def _with_size(
    states: pl.LazyFrame, warehousedbudetails: pl.LazyFrame, instancedetails: pl.LazyFrame
) -> pl.LazyFrame:
    """States with what one cluster of their size amounts to."""
    at = pl.col("timestamp_state_start")
    sized = with_valid(
        states,
        warehousedbudetails,
        key=warehouse_size_key(pl.col("cluster_size")),
        reference_key=warehouse_size_key(pl.col("cluster_size")),
        at=at,
        columns={
            "_hourly_dbus": pl.col("total_dbus").cast(pl.Float64),
            "_worker_count": pl.col("worker_count"),
            "_driver": pl.col("driver_size"),
        },
    )
    return with_valid(
        sized,
        instancedetails,
        key=folded(pl.col("_driver")),
        reference_key=folded(pl.col("API_Name")),
        at=at,
        columns={"_driver_vCPUs": pl.col("vCPUs")},
    )


def _with_costs(states: pl.LazyFrame) -> pl.LazyFrame:
    """States with core hours, DBUs, their cost, and why one is not known."""
    hours, clusters = pl.col("uptime_in_state_H"), pl.col("current_num_clusters")
    is_billed = pl.col("databricks_billable") & (clusters > 0)
    cores = pl.col("driver_vCPUs") * pl.col("worker_count") * clusters
    quantities = states.with_columns(
        worker_potential_core_H=amount(is_billed, cores * hours),
        driver_dbus=amount(is_billed, pl.col("hourly_dbus") * clusters * hours),
    )
    return quantities.with_columns(total_dbu_cost=dbu_cost("driver_dbus")).with_columns(
        cost_reason=_cost_reason()
    )


def _cost_reason() -> pl.Expr:
    """What is missing where DBUs or cost are null."""
    has_no_dbus, has_no_cost = pl.col("driver_dbus").is_null(), pl.col("total_dbu_cost").is_null()
    reasons = {
        "specification_unknown": has_no_cost & ~_is_told(),
        "cluster_size_unknown": has_no_dbus & _is_told(),
        "dbu_price_unknown": has_no_cost & _is_told() & pl.col("dbu_rate").is_null(),
    }
    return reasons_told(reasons)
