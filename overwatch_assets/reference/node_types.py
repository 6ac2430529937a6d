"""Cores and memory of node types as the workspace's API tells them (`clusters/list-node-types`).

They complete what no price list names. Prices and DBUs are not in that answer and are not made
up: a node type known from here alone has none.
"""

from collections.abc import Iterable, Mapping

import polars as pl

from overwatch_assets.expressions.price_keys import folded
from overwatch_assets.reference.checking import LARGEST_NUMBER, LONGEST_TEXT
from overwatch_assets.reference.problems import Problem, shown
from overwatch_assets.reference.validity import KEY

PLACE = "the workspace's clusters/list-node-types"
_MB_PER_GB = 1024
_SCHEMA = {"API_Name": pl.String, "vCPUs": pl.Int32, "Memory_GB": pl.Float64}


def node_type_sizes(
    node_types: Iterable[Mapping[str, object]],
) -> tuple[pl.DataFrame, tuple[Problem, ...]]:
    """Node types with cores and memory, one row each; and what of the answer can't be used.

    The frame is a layer of the node types' table, as far as it goes.

    Args:
        node_types: Objects of the answer: `node_type_id`, `num_cores`, `memory_mb`. Cores that
            are no whole number (shared ones) are no vCPUs and stay null.
    """
    rows: list[tuple[str, int | None, float | None]] = []
    problems: list[Problem] = []
    for each in node_types:
        name = each.get("node_type_id")
        if not isinstance(name, str) or not 0 < len(name.strip()) <= LONGEST_TEXT:
            remedy = "It is passed over; look at the answer of the API"
            what = f"a node type has no usable id: {shown(str(name))}"
            problems.append(Problem(PLACE, None, "", what, remedy, is_warning=True))
            continue
        cores, memory = (_positive(each.get(field)) for field in ("num_cores", "memory_mb"))
        whole = int(cores) if cores is not None and cores.is_integer() else None
        rows.append((name.strip(), whole, None if memory is None else memory / _MB_PER_GB))
    sizes = pl.DataFrame(rows, schema=_SCHEMA, orient="row").with_columns(
        folded(pl.col("API_Name")).alias(KEY), pl.lit(PLACE).alias("size_origin")
    )
    ordered = sizes.sort(pl.all(), nulls_last=True)
    return ordered.unique(KEY, keep="first", maintain_order=True), tuple(problems)


def told_before(
    stored: pl.DataFrame, listed: Iterable[Mapping[str, object]] = ()
) -> list[Mapping[str, object]]:
    """Node types whose sizes the API told at an earlier refresh, as it told them.

    They stay known: a workspace's past ran on node types that are offered no more.

    Args:
        stored: Rows of `instanceDetails`.
        listed: Objects of a newer answer; the node types in it are left out.
    """
    newer = {str(each.get("node_type_id")).strip().lower() for each in listed}
    rows = stored.filter(pl.col("size_origin") == PLACE)
    return [
        {
            "node_type_id": name,
            "num_cores": cores,
            "memory_mb": None if memory is None else memory * _MB_PER_GB,
        }
        for name, cores, memory in rows.select(_SCHEMA.keys()).unique().iter_rows()
        if name.lower() not in newer
    ]


def _positive(value: object) -> float | None:
    """A number of the answer; None where it is none, or none that a node can have."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value <= LARGEST_NUMBER else None
