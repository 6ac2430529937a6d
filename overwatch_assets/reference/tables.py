"""The price tables: per workspace every figure that costs are made of, and when it holds.

A row holds from `activeFrom` 00:00 UTC on and until before `activeUntil` 00:00. What was in
force at an earlier load is in the tables' Delta history.
"""

import polars as pl

from overwatch_assets.module import Column, Grain, Table

_VALIDITY = (
    Column(
        "activeFrom",
        pl.Date,
        "First day the row holds, from 00:00 UTC on; 2012-01-01 where no begin is given.",
    ),
    Column("activeUntil", pl.Date, "First day it no longer holds; null: it still does."),
    Column("isActive", pl.Boolean, "The row has no activeUntil."),
)
_WORKSPACE = Column("organization_id", pl.String, "Workspace the figures hold for.")
_ORIGIN = "file and line, configuration, or shipped and as of when"

INSTANCE_DETAILS = Table(
    name="instancedetails",
    columns=(
        _WORKSPACE,
        Column("instance", pl.String, "Marketing name of the node type, if one was given."),
        Column("API_Name", pl.String, "Node type, as the APIs name it; capitals do not count."),
        Column("vCPUs", pl.Int32, "Cores of a node; null: not known."),
        Column("Memory_GB", pl.Float64, "Memory of a node in GB of 2^30 bytes; null: not known."),
        Column(
            "Compute_Contract_Price",
            pl.Float64,
            "USD per node and hour that costs are made of; null: not known, see price_origin.",
        ),
        Column("On_Demand_Cost_Hourly", pl.Float64, "List price, USD per node and hour."),
        Column("Linux_Reserved_Cost_Hourly", pl.Float64, "Reserved price, USD per node and hour."),
        Column("Hourly_DBUs", pl.Float64, "DBU per node and hour without Photon; null: not known."),
        *_VALIDITY,
        Column("size_origin", pl.String, f"Where vCPUs comes from: {_ORIGIN}, or the API."),
        Column("dbu_origin", pl.String, f"Where Hourly_DBUs comes from: {_ORIGIN}."),
        Column(
            "price_origin",
            pl.String,
            f"Where Compute_Contract_Price comes from: {_ORIGIN}; where it is null, why.",
        ),
    ),
    keys=("API_Name", "activeFrom"),
    grain=Grain.REFERENCE,
    doc="Node types: one row per node type and stretch of time with the same figures.",
)
DBU_COST_DETAILS = Table(
    name="dbucostdetails",
    columns=(
        _WORKSPACE,
        Column("sku", pl.String, "interactive, automated, sqlCompute, jobsLight, dlt, serverless."),
        Column("contract_price", pl.Float64, "USD per DBU."),
        *_VALIDITY,
        Column("origin", pl.String, f"Where the price comes from: {_ORIGIN}."),
    ),
    keys=("sku", "activeFrom"),
    grain=Grain.REFERENCE,
    doc="DBU prices: one row per sku and stretch of time with the same price.",
)
WAREHOUSE_DBU_DETAILS = Table(
    name="warehousedbudetails",
    columns=(
        _WORKSPACE,
        Column("cloud", pl.String, "aws, azure or gcp: the workspace's."),
        Column("cluster_size", pl.String, "Size of the SQL warehouse, such as 2X-Small."),
        Column("driver_size", pl.String, "Node type of the driver, as in instanceDetails."),
        Column("worker_count", pl.Int32, "Workers of one cluster, the driver not among them."),
        Column("total_dbus", pl.Int32, "DBU per hour of one cluster of the warehouse."),
        *_VALIDITY,
        Column("activeFromEpochMillis", pl.Int64, "activeFrom 00:00 UTC."),
        Column("activeUntilEpochMillis", pl.Int64, "activeUntil 00:00 UTC; null: still active."),
        Column("origin", pl.String, f"Where total_dbus comes from: {_ORIGIN}."),
    ),
    keys=("cloud", "cluster_size", "activeFrom"),
    grain=Grain.REFERENCE,
    doc="SQL warehouse sizes: one row per size and stretch of time with the same figures.",
)
REFERENCE_TABLES = (INSTANCE_DETAILS, DBU_COST_DETAILS, WAREHOUSE_DBU_DETAILS)
