"""The figures that hold for a workspace, valid over time.

Its own file lies over the deployment's, that over its contract prices, those over what is
shipped. `expressions/price_lookup.py` looks instants up in them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest

import polars as pl

from overwatch_assets.config import Workspace
from overwatch_assets.configuration.days import EARLIEST_DAY
from overwatch_assets.execution.versions import version_of_rows, version_of_versions
from overwatch_assets.module import Table
from overwatch_assets.reference import tables
from overwatch_assets.reference.checking import Checked, checked
from overwatch_assets.reference.layering import Figures, Stack
from overwatch_assets.reference.layout import (
    BILLABLE_STATES,
    CLOUD,
    DBU_COST_DETAILS,
    FROM,
    INSTANCE_DETAILS,
    IS_ACTIVE,
    OWNER,
    PHOTON_MULTIPLIERS,
    SKU_CHOICE,
    UNTIL,
    WAREHOUSE_DBU_DETAILS,
    Layout,
)
from overwatch_assets.reference.node_types import node_type_sizes
from overwatch_assets.reference.problems import Problem, errors_of, price_error, shown_key
from overwatch_assets.reference.sheet import LINE, Sheet
from overwatch_assets.reference.shipped import AS_OF, LEFT_OUT, ORIGIN, shipped
from overwatch_assets.reference.validity import ENDLESS, KEY

ReadSheet = Callable[[str], Sheet]
"""Reads the price file of a path."""

STACKS: Mapping[Layout, Stack] = {
    INSTANCE_DETAILS: Stack(
        names=("API_Name",),
        figures=(
            Figures(("instance",), None),
            Figures(("vCPUs", "Memory_GB"), "size_origin"),
            Figures(
                ("Compute_Contract_Price", "On_Demand_Cost_Hourly", "Linux_Reserved_Cost_Hourly"),
                "price_origin",
            ),
            Figures(("Hourly_DBUs",), "dbu_origin"),
        ),
    ),
    DBU_COST_DETAILS: Stack(
        names=("sku",),
        figures=(Figures(("contract_price",), "origin"),),
    ),
    WAREHOUSE_DBU_DETAILS: Stack(
        names=(CLOUD, "cluster_size"),
        figures=(Figures(("total_dbus", "worker_count", "driver_size"), "origin"),),
    ),
}
TABLES: Mapping[Layout, Table] = {
    INSTANCE_DETAILS: tables.INSTANCE_DETAILS,
    DBU_COST_DETAILS: tables.DBU_COST_DETAILS,
    WAREHOUSE_DBU_DETAILS: tables.WAREHOUSE_DBU_DETAILS,
}
_RULES = (SKU_CHOICE, PHOTON_MULTIPLIERS, BILLABLE_STATES)
INPUTS = (*(table.name for table in TABLES.values()), *(layout.name for layout in _RULES))
"""Names of the references that transforms may read."""


@dataclass(frozen=True)
class PriceFigures:
    """Every figure of a workspace that costs are made of, valid over time.

    All frames are sorted by key and `activeFrom`; of a key no two rows hold at one instant.

    Attributes:
        instance_details: Node types: cores, memory, DBUs, prices.
        dbu_cost_details: Price of a DBU by sku.
        warehouse_dbu_details: DBUs of SQL warehouses by size; those of the workspace's cloud.
            These three have the columns that `reference/tables.py` declares, less the run's.
        inputs: What transforms read, by the name of the reference: the three by their tables'
            names, without origins, and the rules `sku_choice`, `photon_multipliers` and
            `billable_states`.
        warnings: What does not keep the figures from being used.
    """

    instance_details: pl.DataFrame
    dbu_cost_details: pl.DataFrame
    warehouse_dbu_details: pl.DataFrame
    inputs: Mapping[str, pl.DataFrame]
    warnings: tuple[Problem, ...]

    @cached_property
    def versions(self) -> Mapping[str, int]:
        """Order-free hash of each input: the figures and when they hold, not where they are from.

        The loader records the same with what it reads.
        """
        return {name: version_of_rows(rows) for name, rows in self.inputs.items()}

    @cached_property
    def version(self) -> int:
        """The `reference_version`: hash of all of it."""
        return version_of_versions(self.versions.items())

    @property
    def frames(self) -> Mapping[str, pl.DataFrame]:
        """The three price tables by name."""
        return {
            tables.INSTANCE_DETAILS.name: self.instance_details,
            tables.DBU_COST_DETAILS.name: self.dbu_cost_details,
            tables.WAREHOUSE_DBU_DETAILS.name: self.warehouse_dbu_details,
        }


@dataclass(frozen=True, slots=True)
class PriceFilesRead:
    """A workspace's price files, checked.

    Attributes:
        files: Of each kind its own file, then the deployment's, as far as there are such.
        problems: What is wrong with them, warnings too.
    """

    files: Mapping[Layout, Sequence[Checked]]
    problems: tuple[Problem, ...]


def read_price_files(workspace: Workspace, read: ReadSheet) -> PriceFilesRead:
    """Read and check the price files that are configured for a workspace.

    Raises:
        SourceError: One can't be reached.
    """
    files: dict[Layout, list[Checked]] = {}
    for layout in STACKS:
        paths = (getattr(each, layout.name) for each in workspace.price_files)
        files[layout] = [checked(read(path), layout) for path in paths if path is not None]
    problems = [problem for each in files.values() for file in each for problem in file.problems]
    return PriceFilesRead(files, tuple(problems))


def reference_of(
    workspace: Workspace,
    files: PriceFilesRead,
    node_types: Iterable[Mapping[str, object]] = (),
) -> PriceFigures:
    """The figures that hold for a workspace.

    Args:
        workspace: Its cloud and contract prices.
        files: Its price files.
        node_types: Objects that its API lists as node types.

    Raises:
        ConfigError: With every problem of its files.
    """
    if errors := errors_of(files.problems):
        raise price_error(errors)
    sizes, unusable = node_type_sizes(node_types)
    layers = {
        layout: [*_layers_of_files(workspace, layout, files), _shipped_layer(workspace, layout)]
        for layout in STACKS
    }
    layers[DBU_COST_DETAILS].insert(-1, _contract_layer(workspace))
    nothing = layers[INSTANCE_DETAILS][-1].clear()
    layers[INSTANCE_DETAILS].append(pl.concat([nothing, sizes], how="diagonal"))
    laid = {layout: stack.laid(layers[layout]) for layout, stack in STACKS.items()}
    late = [each for layout, rows in laid.items() for each in _late(workspace, layout, rows)]
    shown = {layout: _declared(workspace, layout, rows) for layout, rows in laid.items()}
    inputs = {
        TABLES[layout].name: _declared(workspace, layout, stack.without_origins(laid[layout]))
        for layout, stack in STACKS.items()
    }
    return PriceFigures(
        instance_details=shown[INSTANCE_DETAILS],
        dbu_cost_details=shown[DBU_COST_DETAILS],
        warehouse_dbu_details=shown[WAREHOUSE_DBU_DETAILS],
        inputs={**inputs, **{layout.name: _rules(layout) for layout in _RULES}},
        warnings=(*files.problems, *unusable, *late),
    )


def _layers_of_files(
    workspace: Workspace, layout: Layout, files: PriceFilesRead
) -> Iterator[pl.DataFrame]:
    """Per file the rows of the workspace alone, then those of any."""
    stack = STACKS[layout]
    for file in files.files[layout]:
        line = pl.format("{}, line {}", pl.lit(file.place), pl.col(LINE))
        told = pl.coalesce(line, pl.lit(file.place))
        rows = _priced(_of_cloud(workspace, file.rows))
        origins = (
            pl.when(pl.col(each.columns[0]).is_not_null()).then(told).alias(each.origin)
            for each in stack.figures
            if each.origin
        )
        rows = rows.with_columns(*origins)
        owner = pl.col(OWNER)
        for of_layer in (owner == workspace.organization_id, owner.is_null()):
            yield rows.filter(of_layer).select(stack.columns)


def _shipped_layer(workspace: Workspace, layout: Layout) -> pl.DataFrame:
    stack = STACKS[layout]
    rows = _priced(_of_cloud(workspace, shipped(layout)))
    told = pl.format("shipped: {}, as of {}", ORIGIN, AS_OF)
    left_out = pl.format("left out: {}", LEFT_OUT)
    origins = (
        pl.when(pl.col(each.columns[0]).is_null()).then(left_out).otherwise(told).alias(each.origin)
        for each in stack.figures
        if each.origin
    )
    return rows.with_columns(*origins).select(stack.columns)


def _rules(layout: Layout) -> pl.DataFrame:
    """Rules of a shipped file, with the begin of each validity written out."""
    columns = (field.name for field in layout.fields)
    rows = shipped(layout).sort(KEY, FROM, nulls_last=False)
    return rows.select(*columns, pl.col(FROM).fill_null(EARLIEST_DAY), UNTIL)


def _contract_layer(workspace: Workspace) -> pl.DataFrame:
    """The contract prices of the configuration; each ends where the next begins."""
    rows = [
        (sku, each.price, each.valid_from, following.valid_from if following else None)
        for sku, prices in workspace.dbu_prices.items()
        for each, following in zip_longest(prices, prices[1:])
    ]
    schema = {"sku": pl.String, "contract_price": pl.Float64, FROM: pl.Date, UNTIL: pl.Date}
    return (
        pl.DataFrame(rows, schema, orient="row")
        .select(
            pl.all(),
            DBU_COST_DETAILS.key().alias(KEY),
            pl.lit("configuration: contract price of the workspace").alias(ORIGIN),
        )
        .select(STACKS[DBU_COST_DETAILS].columns)
    )


def _of_cloud(workspace: Workspace, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of the workspace's cloud, and those of no cloud."""
    if CLOUD not in rows.columns:
        return rows
    return rows.filter(pl.col(CLOUD).is_null() | (pl.col(CLOUD) == workspace.cloud))


def _priced(rows: pl.DataFrame) -> pl.DataFrame:
    """Without a contract price, the list price of the same row is what is paid."""
    if "Compute_Contract_Price" not in rows.columns:
        return rows
    paid = pl.coalesce("Compute_Contract_Price", "On_Demand_Cost_Hourly")
    return rows.with_columns(paid.alias("Compute_Contract_Price"))


def _declared(workspace: Workspace, layout: Layout, laid: pl.DataFrame) -> pl.DataFrame:
    """Rows in the columns that their table declares, as far as they have them."""
    until = pl.when(pl.col(UNTIL) != ENDLESS).then(UNTIL)
    begins, ends = (pl.col(each).cast(pl.Datetime("ms")).dt.epoch("ms") for each in (FROM, UNTIL))
    schema = {column.name: column.dtype for column in TABLES[layout].columns}
    rows = laid.with_columns(
        pl.lit(workspace.organization_id).alias(OWNER),
        until.alias(UNTIL),
        until.is_null().alias(IS_ACTIVE),
        activeFromEpochMillis=begins,
        activeUntilEpochMillis=pl.when(until.is_not_null()).then(ends),
    )
    columns = (pl.col(name).cast(schema[name]) for name in schema if name in rows.columns)
    return rows.sort(KEY, FROM).select(columns)


def _late(workspace: Workspace, layout: Layout, laid: pl.DataFrame) -> Iterator[Problem]:
    """Keys of which nothing is given on the workspace's first day."""
    first = laid.group_by(KEY, maintain_order=True).agg(pl.col(FROM).min())
    for key, begins in first.filter(pl.col(FROM) > workspace.first_day).iter_rows():
        what = f"is given from {begins} on only, the workspace's first day is {workspace.first_day}"
        remedy = "Leave activeFrom blank if it held before"
        place = f"{layout.name} of workspace {workspace.name}"
        yield Problem(place, None, shown_key(key), what, remedy, is_warning=True)
