"""What a price file holds: its columns, what their cells may be, and which of them are the key.

The spelling is Overwatch's, so that a table exported from there can be used as it is; columns of
it that decide nothing here are passed over.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

import polars as pl

from overwatch_assets.expressions.price_keys import folded, warehouse_size_key

CLOUDS = ("aws", "azure", "gcp")
SKUS = ("interactive", "automated", "sqlCompute", "jobsLight", "dlt", "serverless")

OWNER = "organization_id"
CLOUD = "cloud"
FROM, UNTIL = "activeFrom", "activeUntil"
IS_ACTIVE = "isActive"


class Kind(Enum):
    """What a cell may be."""

    TEXT = auto()
    PRICE = auto()
    """A number, 0 or more."""
    AMOUNT = auto()
    """A number above 0."""
    COUNT = auto()
    """A whole number above 0."""
    DAY = auto()
    FLAG = auto()


DTYPES: Mapping[Kind, type[pl.DataType]] = {
    Kind.TEXT: pl.String,
    Kind.PRICE: pl.Float64,
    Kind.AMOUNT: pl.Float64,
    Kind.COUNT: pl.Int32,
    Kind.DAY: pl.Date,
    Kind.FLAG: pl.Boolean,
}


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a price file.

    Attributes:
        name: As it is stored.
        kind: What its cells may be.
        is_required: The column must be there, and every cell filled.
        known: The only texts it may hold; capital letters do not count.
        also: Other names of the column; capital letters never count.
    """

    name: str
    kind: Kind
    is_required: bool = False
    known: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What the column may be called."""
        return (self.name, *self.also)


@dataclass(frozen=True, slots=True)
class Layout:
    """A kind of price file.

    Attributes:
        name: Its key in the configuration; with `.csv`, the shipped file.
        fields: Its columns, without those that every file may have.
        key: Tells rows apart whose intervals may not overlap, besides their owner.
        passed_over: Columns that decide nothing here.
    """

    name: str
    fields: tuple[Field, ...]
    key: Callable[[], pl.Expr]
    passed_over: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[Field, ...]:
        """Every column that is read."""
        return (Field(OWNER, Kind.TEXT), *self.fields, *_VALIDITY)

    @property
    def key_columns(self) -> list[str]:
        """The columns that the key is made of."""
        return list(dict.fromkeys(self.key().meta.root_names()))


_VALIDITY = (Field(FROM, Kind.DAY), Field(UNTIL, Kind.DAY), Field(IS_ACTIVE, Kind.FLAG))
_OF_THE_TABLES = ("workspace_name", "partition_date", "Pipeline_SnapTS", "Overwatch_RunID")


def _node_type_key() -> pl.Expr:
    return folded(pl.col("API_Name"))


def _sku_key() -> pl.Expr:
    return pl.col("sku")


def _warehouse_key() -> pl.Expr:
    return pl.col(CLOUD) + " " + warehouse_size_key(pl.col("cluster_size"))


def _kind_key() -> pl.Expr:
    return pl.col("cluster_kind")


def _state_key() -> pl.Expr:
    return pl.col("resource") + " " + pl.col("state")


INSTANCE_DETAILS = Layout(
    name="instance_details",
    fields=(
        Field(CLOUD, Kind.TEXT, known=CLOUDS),
        Field("instance", Kind.TEXT, also=("Name",)),
        Field("API_Name", Kind.TEXT, is_required=True),
        Field("vCPUs", Kind.COUNT),
        Field("Memory_GB", Kind.AMOUNT),
        Field("Compute_Contract_Price", Kind.PRICE),
        Field("On_Demand_Cost_Hourly", Kind.PRICE),
        Field("Linux_Reserved_Cost_Hourly", Kind.PRICE),
        Field("Hourly_DBUs", Kind.AMOUNT),
    ),
    key=_node_type_key,
    passed_over=(
        *_OF_THE_TABLES,
        "size_origin",
        "dbu_origin",
        "price_origin",
        "GPUs",
        "GPU_Model",
        "GPU_Memory_GB",
        "Physical_Processor",
        "Clock_Speed_GHz",
        "Instance_Storage",
        "Network_Performance",
        "EBS_Optimized_Max_Bandwidth_Mbps",
        "EBS_Optimized_Max_Throughput_128K_Mbps",
        "EBS_As_NVMe",
        "Enhanced_Networking",
        "EBS_Optimized_Surcharge_Hourly",
    ),
)
DBU_COST_DETAILS = Layout(
    name="dbu_cost_details",
    fields=(
        Field("sku", Kind.TEXT, is_required=True, known=SKUS),
        Field("contract_price", Kind.PRICE, is_required=True),
    ),
    key=_sku_key,
    passed_over=(*_OF_THE_TABLES, "origin"),
)
WAREHOUSE_DBU_DETAILS = Layout(
    name="warehouse_dbu_details",
    fields=(
        Field(CLOUD, Kind.TEXT, is_required=True, known=CLOUDS),
        Field("cluster_size", Kind.TEXT, is_required=True),
        Field("driver_size", Kind.TEXT),
        Field("worker_count", Kind.COUNT),
        Field("total_dbus", Kind.COUNT),
    ),
    key=_warehouse_key,
    passed_over=(*_OF_THE_TABLES, "origin", "activeFromEpochMillis", "activeUntilEpochMillis"),
)
PRICE_LAYOUTS = (INSTANCE_DETAILS, DBU_COST_DETAILS, WAREHOUSE_DBU_DETAILS)

SKU_CHOICE = Layout(
    name="sku_choice",
    fields=(
        Field("cluster_kind", Kind.TEXT, is_required=True),
        Field("sku", Kind.TEXT, is_required=True, known=SKUS),
        Field("fallback_sku", Kind.TEXT, known=SKUS),
    ),
    key=_kind_key,
)
PHOTON_MULTIPLIERS = Layout(
    name="photon_multipliers",
    fields=(
        Field("sku", Kind.TEXT, is_required=True, known=SKUS),
        Field("multiplier", Kind.AMOUNT, is_required=True),
    ),
    key=_sku_key,
)
BILLABLE_STATES = Layout(
    name="billable_states",
    fields=(
        Field("resource", Kind.TEXT, is_required=True, known=("cluster", "warehouse")),
        Field("state", Kind.TEXT, is_required=True),
        Field("is_dbu_billable", Kind.FLAG, is_required=True),
    ),
    key=_state_key,
)
