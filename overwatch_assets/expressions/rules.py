"""Rules that several tables keep: no row is lost, and totals are the sums of their parts.

Numbers of rows and times are compared exactly. Amounts in floating point agree to `TOLERANCE`:
what rounding leaves when thousands of them are added in another order.
"""

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from overwatch_assets.module import HOLDS, LEFT_OUT, Rule

TOLERANCE = 1e-9


def remedy(*tables: str) -> str:
    """What to do where rows do not agree with those of the tables they are made of."""
    return (
        f"Load the days named, and this one, again together with {' and '.join(tables)}: one may "
        "have been loaded anew without the other. If the rule stays broken it is a defect; "
        "please report it with this message."
    )


def keeps_rows(
    table: str,
    *,
    by: Mapping[str, pl.Expr],
    sums: Mapping[str, tuple[pl.Expr, pl.Expr]] | None = None,
    where: pl.Expr | None = None,
    with_counted: bool = False,
    each: str = "row",
) -> Rule:
    """The rule that each row of an input has one row, and that times add up to the same.

    Args:
        table: The input.
        by: Column of the table's rows by which they are compared -> what it is in the input.
        sums: Name of a figure in whole numbers -> what it is of the rows, and of the input's.
        where: Rows of the input that have one; None: all.
        with_counted: Rows that are counted and not stored belong to it.
        each: What the rows are that have one.
    """
    figures = sums or {}
    names = ("rows", *figures)

    def compared(
        rows: pl.LazyFrame, not_stored: pl.LazyFrame, made_from: pl.LazyFrame
    ) -> pl.LazyFrame:
        counted = [not_stored.drop(LEFT_OUT, strict=False)] if with_counted else []
        of_rows = {name: pair[0] for name, pair in figures.items()}
        of_input = {name: pair[1] for name, pair in figures.items()}
        made = _summed(
            pl.concat([rows.drop(LEFT_OUT, strict=False), *counted]),
            {name: pl.col(name) for name in by},
            {f"{name}_here": sum_ for name, sum_ in {"rows": pl.lit(1), **of_rows}.items()},
        )
        read = _summed(
            made_from if where is None else made_from.filter(where),
            by,
            {f"{name}_there": sum_ for name, sum_ in {"rows": pl.lit(1), **of_input}.items()},
        )
        both = [pl.col(f"{name}_here", f"{name}_there") for name in names]
        return (
            made.join(read, on=list(by), how="full", coalesce=True, nulls_equal=True)
            .select(*by, *(pair.fill_null(0) for pair in both))
            .with_columns(
                pl.all_horizontal(
                    pl.col(f"{name}_here") == pl.col(f"{name}_there") for name in names
                ).alias(HOLDS)
            )
        )

    has = "has one row or is counted" if with_counted else "has one row"
    adding_up = ", and times add up to the same" if sums else ""
    return Rule(
        name="rows_are_kept",
        doc=f"each {each} of {table} {has}{adding_up}",
        compared=compared,
        by=tuple(by),
        remedy=remedy(table),
        made_from=table,
    )


def _summed(
    rows: pl.LazyFrame, by: Mapping[str, pl.Expr], sums: Mapping[str, pl.Expr]
) -> pl.LazyFrame:
    named = {name: each.cast(pl.Int64) for name, each in sums.items()}
    return rows.select(**by, **named).group_by(list(by)).agg(pl.col(list(sums)).sum())


def agree(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Whether two amounts are the same, or both unknown."""
    larger = pl.max_horizontal(one.abs(), other.abs())
    is_near = (one - other).abs() <= TOLERANCE * larger
    return is_near.fill_null(value=False) | (one.is_null() & other.is_null())


def within(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """Whether an amount is no more than another; what is unknown is not said to be more."""
    slack = TOLERANCE * pl.max_horizontal(part.abs(), whole.abs(), pl.lit(1.0))
    return (part <= whole + slack).fill_null(value=True)


def any_null(names: Iterable[str]) -> pl.Expr:
    """Whether one of some columns is null."""
    return pl.any_horizontal(pl.col(name).is_null() for name in names)


def null_where_lacking(
    rows: pl.LazyFrame, key: Sequence[str], lacking: Mapping[str, pl.Expr]
) -> pl.LazyFrame:
    """Rows whose amounts are null exactly where a figure is not known that they need.

    Args:
        rows: With `cost_reason`.
        key: Columns that name a row.
        lacking: Amount -> whether a figure is not known that it needs.
    """
    nulls = {name: pl.col(name).is_null() for name in lacking}
    return rows.select(
        *key,
        figures_unknown=pl.sum_horizontal(each.cast(pl.Int64) for each in lacking.values()),
        amounts_unknown=pl.sum_horizontal(each.cast(pl.Int64) for each in nulls.values()),
        **{
            HOLDS: pl.all_horizontal(nulls[name] == each for name, each in lacking.items())
            & (any_null(lacking) == pl.col("cost_reason").is_not_null())
        },
    )


def costs_unknown(rows: pl.LazyFrame, by: Sequence[str], **figures: pl.Expr) -> pl.LazyFrame:
    """Rows whose cost is not known, by what is lacking: how many they are, and figures of them."""
    return (
        rows.drop_nulls("cost_reason")
        .group_by(by)
        .agg(rows=pl.len().cast(pl.Int64), **figures)
        .with_columns(pl.lit(value=False).alias(HOLDS))
    )
