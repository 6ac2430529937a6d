"""What a reload changed: two versions of a table's day, row by row, and the money that moved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl
from polars.exceptions import ComputeError

from overwatch_assets.config import Config
from overwatch_assets.errors import ConfigError, StorageError
from overwatch_assets.module import (
    IS_OPEN,
    ORGANIZATION_ID,
    PARTITION_DATE,
    RUN_COLUMNS,
    Grain,
    Table,
)
from overwatch_assets.resources import Deployment
from overwatch_assets.views import BY_NAME, reach_of

ADDED, REMOVED, CHANGED = "added", "removed", "changed"
COST = "_cost"
TOTAL = "total_cost"
_BEFORE, _AFTER = "_before", "_after"


@dataclass(frozen=True, slots=True)
class TableDiff:
    """What differs between two versions of a table's day.

    Attributes:
        rows: A row per key that differs: `change`, the key, which columns changed and, where the
            table tells a total cost, what it was and is.
        money: Per column of costs: the sums before and after, and what was added, removed and
            changed of them, USD; unknown costs count nothing.
        counts: Keys by what became of them, those that are equal among them.
    """

    rows: pl.DataFrame
    money: pl.DataFrame
    counts: Mapping[str, int]


def diff_day(
    config: Config,
    name: str,
    day: date,
    before: int,
    after: int | None = None,
    *,
    workspaces: Sequence[str] = (),
) -> TableDiff:
    """Compare two versions of the rows of a day.

    Args:
        config: The deployment.
        name: The table.
        day: The day, as `partition_date`.
        before: The older version.
        after: The newer version; None: the newest.
        workspaces: Only these, by id or name; none: all that are shown.

    Raises:
        ConfigError: There is no such table or workspace, or a version's files are gone.
        StorageError: There is no such version.
    """
    table = BY_NAME.get(name.lower())
    if table is None:
        remedy = "`overwatch modules` lists the tables"
        raise ConfigError(f"there is no table {name!r}; {remedy}")
    if not table.keys:
        raise ConfigError(f"{table.name} has no key by which rows could be compared")
    store = Deployment(config=config, modules={}).store
    reach = reach_of(config, workspaces)

    def rows(version: int | None) -> pl.DataFrame:
        found = store.scan(table, days=[day], version=version)
        if reach.workspaces is not None:
            found = found.filter(pl.col(ORGANIZATION_ID.name).is_in(list(reach.workspaces)))
        try:
            with store.computing():
                return found.collect()
        except (ComputeError, FileNotFoundError) as error:
            what = f"version {version} of {table.name} can't be read any more: {error}"
            raise ConfigError(f"{what}. Its files may have been cleared away") from error

    return diff(table, rows(before), rows(after))


def diff(table: Table, before: pl.DataFrame, after: pl.DataFrame) -> TableDiff:
    """Compare the rows of two versions by key, in all columns but those of the run.

    Raises:
        StorageError: A version holds a key twice.
    """
    keys = [ORGANIZATION_ID.name, *table.keys]
    keys += [IS_OPEN.name] if table.grain is Grain.VERSION else []
    both = _joined(table, keys, before, after)
    ignored = {*keys, PARTITION_DATE.name, *(column.name for column in RUN_COLUMNS)}
    compared = [name for name in table.schema if name not in ignored]
    differs = [
        pl.when(pl.col(f"{name}{_BEFORE}").ne_missing(pl.col(f"{name}{_AFTER}"))).then(pl.lit(name))
        for name in compared
    ]
    is_added, is_removed = pl.col("_was").is_null(), pl.col("_is").is_null()
    names = pl.concat_list(differs).list.drop_nulls() if differs else pl.lit([], pl.List(pl.String))
    told = both.with_columns(
        pl.when(is_added | is_removed).then(None).otherwise(names.list.join(", ")).alias("columns")
    ).with_columns(
        change=pl.when(is_added)
        .then(pl.lit(ADDED))
        .when(is_removed)
        .then(pl.lit(REMOVED))
        .when(pl.col("columns") != "")
        .then(pl.lit(CHANGED))
    )
    changed = told.drop_nulls("change")
    counted = dict(changed["change"].value_counts().iter_rows())
    counts = {each: counted.get(each, 0) for each in (ADDED, REMOVED, CHANGED)}
    return TableDiff(
        rows=changed.select("change", *keys, "columns", *_totals(table)).sort("change", *keys),
        money=_money(table, told),
        counts={**counts, "equal": told.height - changed.height},
    )


def _joined(
    table: Table, keys: Sequence[str], before: pl.DataFrame, after: pl.DataFrame
) -> pl.DataFrame:
    named = [
        frame.with_columns(
            *(each.alias(key) for key, each in zip(table.keys, table.key_columns, strict=True)),
        )
        for frame in (before, after)
    ]
    for frame in named:
        if frame.select(keys).is_duplicated().any():
            raise StorageError(f"{table.name} holds a key twice; its rows can't be compared")
    renamed = [
        frame.rename(
            {name: f"{name}{ending}" for name in frame.columns if name not in keys}
        ).with_columns(pl.lit(value=True).alias(mark))
        for frame, ending, mark in zip(named, (_BEFORE, _AFTER), ("_was", "_is"), strict=True)
    ]
    return renamed[0].join(renamed[1], on=keys, how="full", coalesce=True, nulls_equal=True)


def _costs(table: Table) -> list[str]:
    return [
        name
        for name, dtype in table.schema.items()
        if name.lower().endswith(COST) and dtype == pl.Float64
    ]


def _totals(table: Table) -> list[pl.Expr]:
    if TOTAL not in _costs(table):
        return []
    before, after = pl.col(f"{TOTAL}{_BEFORE}"), pl.col(f"{TOTAL}{_AFTER}")
    moved = after.fill_null(0.0) - before.fill_null(0.0)
    return [before.alias("cost_before"), after.alias("cost_after"), moved.alias("moved_usd")]


def _money(table: Table, told: pl.DataFrame) -> pl.DataFrame:
    schema = {
        "column": pl.String,
        **dict.fromkeys(("before", "after", ADDED, REMOVED, CHANGED, "moved"), pl.Float64),
    }
    sums: list[dict[str, object]] = []
    for name in _costs(table):
        before, after = (pl.col(f"{name}{each}").fill_null(0.0) for each in (_BEFORE, _AFTER))
        by_change = {
            change: (after - before).filter(pl.col("change") == change).sum().alias(change)
            for change in (ADDED, REMOVED, CHANGED)
        }
        [row] = told.select(
            before.sum().alias("before"),
            after.sum().alias("after"),
            *by_change.values(),
            (after - before).sum().alias("moved"),
        ).to_dicts()
        sums.append({"column": name, **row})
    return pl.DataFrame(sums, schema=schema)
