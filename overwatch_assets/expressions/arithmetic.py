"""Arithmetic that gives the same digits whatever rows stand beside a row."""

import polars as pl


def quotient(dividend: pl.Expr, divisor: float | pl.Expr) -> pl.Expr:
    """The dividend, a finite number, divided; null stays null.

    Polars 2.1 divides a column by a scalar by multiplying with its reciprocal, but a single row
    by dividing: 3600000 / 3600000 is 0.9999999999999999 in a frame of three rows and 1.0 in a
    frame of one. A row would then depend on the rows it is computed with. Division by a column
    is exact, so the divisor is made one: a constant, and also a column, since one whose rows are
    all equal may be held as a constant.
    """
    number = dividend.cast(pl.Float64)
    return number / (number * 0 + divisor)
