"""SQL warehouse states with what they cost: one row per state, from one event to the next.

A row lies on the day its state was decided (`warehouse_state_detail_silver`), or is open on the
days before. What the warehouse was and what it cost per hour when the state began holds for all
of it; of an open state only the length is not final. A warehouse costs the DBUs of its size for
each cluster in service, where the state is billed; machines of warehouses are not priced. A state
lasts up to the start of the next one: what is stored as its end is a millisecond less, what it
amounts to is not. What is not known makes the cost null, never zero: `cost_reason` says why.
"""

import polars as pl

from overwatch_assets.expressions.arithmetic import quotient
from overwatch_assets.expressions.durations import stop_ms
from overwatch_assets.expressions.json_texts import TEXTS
from overwatch_assets.expressions.price_keys import folded, warehouse_kind, warehouse_size_key
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

HOUR_MS = 3_600_000
STATE = ("warehouse_id", "unixTimeMS_state_start", "state", "seq")
AMOUNTS = ("worker_potential_core_H", "driver_dbus", "total_dbu_cost")
"""What grows with the length of a state."""

OF_STATES = (
    *STATE,
    "state_start_date",
    "unixTimeMS_state_end",
    "timestamp_state_start",
    "timestamp_state_end",
    "current_num_clusters",
    "target_num_clusters",
    "uptime_since_restart_S",
    "cloud_billable",
    "databricks_billable",
    "state_dates",
    "days_in_state",
    "end_imputed",
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
    Column("uptime_in_state_S", pl.Float64, "From start to the next state's in s."),
    Column("uptime_in_state_H", pl.Float64, "From start to the next state's in h."),
    Column("cloud_billable", pl.Boolean, "It is up."),
    Column("databricks_billable", pl.Boolean, "DBUs are used and cost."),
    Column("warehouse_type", pl.String, "CLASSIC or PRO when the state began."),
    Column("channel", pl.String, "Name of its release channel when the state began."),
    Column("state_dates", pl.List(pl.Date), "Days in UTC from start to end, both included."),
    Column("days_in_state", pl.Int32, "Number of state_dates."),
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
    Column("end_imputed", pl.Boolean, "No event told the end. False while open."),
)


STATE_MS = stop_ms(pl.col("unixTimeMS_state_end"), pl.col("is_open")) - pl.col(
    "unixTimeMS_state_start"
)


def _products(rows: pl.LazyFrame) -> pl.LazyFrame:
    """States whose DBUs are those of their clusters and time, and whose cost is at the rate."""
    is_billed = pl.col("databricks_billable") & (pl.col("current_num_clusters") > 0)
    dbus = _amount(
        is_billed,
        pl.col("hourly_dbus") * pl.col("current_num_clusters") * pl.col("uptime_in_state_H"),
    )
    cost = _amount(dbus.ne_missing(0.0), dbus * pl.col("dbu_rate"))
    is_negative = pl.any_horizontal(pl.col(name) < 0 for name in AMOUNTS)
    return rows.select(
        *STATE,
        "total_dbu_cost",
        cost_by_prices=cost,
        **{
            HOLDS: agree(pl.col("driver_dbus"), dbus)
            & agree(pl.col("total_dbu_cost"), cost)
            & ~is_negative.fill_null(value=False)
        },
    )


def _unknown(rows: pl.LazyFrame) -> pl.LazyFrame:
    """States whose amounts are null exactly where a figure is not known that they need."""
    is_billed = pl.col("databricks_billable") & (pl.col("current_num_clusters") > 0)
    has_no_dbus = is_billed & pl.col("hourly_dbus").is_null()
    no_rate = (pl.col("driver_dbus") != 0).fill_null(value=False) & pl.col("dbu_rate").is_null()
    lacking = {"driver_dbus": has_no_dbus, "total_dbu_cost": has_no_dbus | no_rate}
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
    """Sizes and skus that no price list knows, with the states that lack them."""
    return (
        rows.drop_nulls("cost_reason")
        .group_by("cost_reason", "cluster_size", "sku")
        .agg(rows=pl.len().cast(pl.Int64), hours=pl.col("uptime_in_state_H").sum())
        .with_columns(pl.lit(value=False).alias(HOLDS))
    )


RULES = (
    keeps_rows(
        "warehouse_state_detail_silver",
        by={"warehouse_id": pl.col("warehouse_id")},
        sums={"state_ms": (STATE_MS, STATE_MS)},
    ),
    Rule(
        name="costs_are_products",
        doc="DBUs are those of all clusters and the time, their cost is at the rate, nothing is "
        "less than 0",
        compared=_products,
        by=STATE,
        remedy=remedy("warehouse_state_detail_silver"),
    ),
    Rule(
        name="unknown_is_null",
        doc="DBUs and cost are null, with a reason, exactly where a size or price is not known",
        compared=_unknown,
        by=STATE,
        remedy=remedy("warehouse_state_detail_silver"),
    ),
    Rule(
        name="prices_are_known",
        doc="every size and sku in use has a price",
        compared=_incomplete,
        by=("cost_reason", "cluster_size", "sku"),
        remedy="Add what is named to your price files and load the days again: docs/prices.md.",
        is_warning=True,
    ),
)


@module(
    module_id=3020,
    name="Gold_WarehouseStateFact",
    scope=Scope.WAREHOUSE_EVENTS,
    grain=Grain.INTERVAL,
    columns=COLUMNS,
    keys=STATE,
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
        "unixTimeMS_state_end",
        "timestamp_state_end",
        "uptime_since_restart_S",
        "uptime_in_state_S",
        "uptime_in_state_H",
        "state_dates",
        "days_in_state",
        "end_imputed",
        *AMOUNTS,
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
    until_ms = stop_ms(pl.col("unixTimeMS_state_end"), pl.col("is_open"))
    uptime_ms = until_ms - pl.col("unixTimeMS_state_start")
    states = warehouse_state_detail_silver.select(
        *OF_STATES,
        "is_open",
        PARTITION_DATE.name,
        uptime_in_state_S=quotient(uptime_ms, 1_000),
        uptime_in_state_H=quotient(uptime_ms, HOUR_MS),
    )
    held = _with_held(_with_version(states, warehouse_spec_silver), carried, window)
    named = held.with_columns(_definition(name) for name in DEFINITION)
    billed = _with_price(named, sku_choice, dbucostdetails)
    sized = _with_size(billed, warehousedbudetails, instancedetails)
    costed = _with_costs(sized.with_columns(_kept(name) for name in FIGURES))
    stored = costed.select(*(column.name for column in COLUMNS), "is_open", PARTITION_DATE.name)
    return pl.concat([stored, _unpriced(costed)], how="diagonal")


def _with_version(states: pl.LazyFrame, versions: pl.LazyFrame) -> pl.LazyFrame:
    """States with the version before their start, else the first one after, in `_version`."""
    ordered = versions.select(
        "warehouse_id", "timestamp", "seq", _version=pl.struct(*DEFINITION, FOR_KIND)
    ).sort("timestamp", "seq")
    start = "unixTimeMS_state_start"
    past = ordered.select("warehouse_id", "timestamp", _past="_version")
    # Of versions of one instant the first is met when looking ahead.
    ahead = ordered.unique(["warehouse_id", "timestamp"], keep="first", maintain_order=True)
    return (
        states.sort(start)
        .join_asof(
            past,
            left_on=start,
            right_on="timestamp",
            by="warehouse_id",
            allow_exact_matches=False,
            check_sortedness=False,
        )
        .drop("timestamp")
        .join_asof(
            ahead.select("warehouse_id", "timestamp", _ahead="_version"),
            left_on=start,
            right_on="timestamp",
            by="warehouse_id",
            strategy="forward",
            check_sortedness=False,
        )
        .with_columns(_version=pl.coalesce("_past", "_ahead"))
        .drop("timestamp", "_past", "_ahead")
    )


def _with_held(states: pl.LazyFrame, carried: pl.LazyFrame, window: Window) -> pl.LazyFrame:
    """States with what the warehouse's open state had resolved, in columns `_held_...`.

    `_is_held`: the state is that one, or began before the day: no version tells of then any more.
    """
    own = carried.select(
        "warehouse_id", *(pl.col(name).alias(f"_held_{name}") for name in RESOLVED)
    )
    began_before = pl.col("unixTimeMS_state_start") < window.since_ms
    return states.join(
        own.with_columns(_has_held=pl.lit(value=True)), on="warehouse_id", how="left"
    ).with_columns(_is_held=began_before & pl.col("_has_held").fill_null(value=False))


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


def _with_price(
    states: pl.LazyFrame, sku_choice: pl.LazyFrame, dbucostdetails: pl.LazyFrame
) -> pl.LazyFrame:
    """States with sku and price of a DBU: of the fallback where the sku has no price."""
    at = pl.col("timestamp_state_start")
    kind = warehouse_kind(pl.col("_version").struct.field(FOR_KIND))
    chosen = with_valid(
        states,
        sku_choice,
        key=pl.when(_is_told()).then(kind),
        reference_key=pl.col("cluster_kind"),
        at=at,
        columns={"_chosen": pl.col("sku"), "_fallback": pl.col("fallback_sku")},
    )
    for key, price in (("_chosen", "_price"), ("_fallback", "_fallback_price")):
        chosen = with_valid(
            chosen,
            dbucostdetails,
            key=folded(pl.col(key)),
            reference_key=folded(pl.col("sku")),
            at=at,
            columns={price: pl.col("contract_price")},
        )
    falls_back = pl.col("_price").is_null() & pl.col("_fallback_price").is_not_null()
    return chosen.with_columns(
        _sku=pl.when(falls_back).then("_fallback").otherwise("_chosen"),
        _dbu_rate=pl.coalesce("_price", "_fallback_price"),
    )


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


def _kept(name: str) -> pl.Expr:
    """What the state was given when it began, else what is found."""
    held, found = pl.col(f"_held_{name}"), pl.col(f"_{name}")
    return pl.when("_is_held").then(pl.coalesce(held, found)).otherwise(found).alias(name)


def _with_costs(states: pl.LazyFrame) -> pl.LazyFrame:
    """States with core hours, DBUs, their cost, and why one is not known."""
    hours, clusters = pl.col("uptime_in_state_H"), pl.col("current_num_clusters")
    is_billed = pl.col("databricks_billable") & (clusters > 0)
    cores = pl.col("driver_vCPUs") * pl.col("worker_count") * clusters
    quantities = states.with_columns(
        worker_potential_core_H=_amount(is_billed, cores * hours),
        driver_dbus=_amount(is_billed, pl.col("hourly_dbus") * clusters * hours),
    )
    dbus = pl.col("driver_dbus")
    return quantities.with_columns(
        total_dbu_cost=_amount(dbus.ne_missing(0.0), dbus * pl.col("dbu_rate"))
    ).with_columns(cost_reason=_cost_reason())


def _amount(counts: pl.Expr, amount: pl.Expr) -> pl.Expr:
    """An amount, 0 where it does not count; unknown stays null."""
    return pl.when(counts).then(amount).otherwise(0.0)


def _cost_reason() -> pl.Expr:
    """What is missing where DBUs or cost are null."""
    has_no_dbus, has_no_cost = pl.col("driver_dbus").is_null(), pl.col("total_dbu_cost").is_null()
    reasons = {
        "specification_unknown": has_no_cost & ~_is_told(),
        "cluster_size_unknown": has_no_dbus & _is_told(),
        "dbu_price_unknown": has_no_cost & _is_told() & pl.col("dbu_rate").is_null(),
    }
    told = [pl.when(applies).then(pl.lit(reason)) for reason, applies in reasons.items()]
    listed = pl.concat_str(told, separator=", ", ignore_nulls=True)
    return pl.when(listed != "").then(listed)


def _unpriced(states: pl.LazyFrame) -> pl.LazyFrame:
    """A count for each state without a cost, by the size to look for."""
    size = pl.col("cluster_size").fill_null("-")
    reason = pl.format("without cost ({}): {}", size, pl.col("cost_reason"))
    return states.filter(pl.col("cost_reason").is_not_null()).select(
        "warehouse_id", reason.alias(LEFT_OUT)
    )
