"""Figures laid over others: at each instant the topmost that is given there counts.

A blank cell gives nothing, so a row with a price alone leaves cores and DBUs to what is below.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from overwatch_assets.configuration.days import EARLIEST_DAY
from overwatch_assets.reference.layout import FROM, UNTIL
from overwatch_assets.reference.validity import ENDLESS, KEY

_GIVEN_FROM, _GIVEN_UNTIL = "_given_from", "_given_until"


@dataclass(frozen=True, slots=True)
class Figures:
    """Columns that come from one place.

    Attributes:
        columns: Their names; the first is the one whose origin is told.
        origin: Column that tells it, also why the first one is null; None: it is not told.
    """

    columns: tuple[str, ...]
    origin: str | None


@dataclass(frozen=True, slots=True)
class Stack:
    """What the layers of a table hold.

    Attributes:
        names: Columns that name the key; each key keeps the spelling of its lowest layer.
        figures: The others.
    """

    names: tuple[str, ...]
    figures: tuple[Figures, ...]

    @property
    def values(self) -> list[str]:
        """Columns of figures."""
        return [name for each in self.figures for name in each.columns]

    @property
    def columns(self) -> list[str]:
        """What a layer holds."""
        return [KEY, *self.names, *self.values, *self.origins, FROM, UNTIL]

    @property
    def origins(self) -> list[str]:
        """Columns that tell where figures come from."""
        return [each.origin for each in self.figures if each.origin]

    def laid(self, layers: Sequence[pl.DataFrame]) -> pl.DataFrame:
        """One table of layers, the topmost first; of a key no two rows hold at one instant.

        Each layer has `KEY`, names, figures, origins and the validity; in itself it is disjoint.
        """
        bounded = [_bounded(each) for each in layers]
        stacked = _segments(bounded)
        for number, layer in enumerate(bounded):
            stacked = _beside(stacked, layer, number)
        is_given = pl.any_horizontal(
            pl.col(f"{number} {_GIVEN_FROM}").is_not_null() for number in range(len(layers))
        )
        numbers = range(len(layers))
        chosen = [
            pl.coalesce(f"{number} {name}" for number in numbers).alias(name)
            for name in self.values
        ]
        chosen += [_origin(each, numbers) for each in self.figures if each.origin]
        named = pl.concat([each.select(KEY, *self.names) for each in reversed(bounded)])
        rows = (
            stacked.filter(is_given)
            .select(KEY, FROM, UNTIL, *chosen)
            .join(named.unique(KEY, keep="first", maintain_order=True), on=KEY, how="left")
        )
        return self._joined(rows, [*self.values, *self.origins])

    def without_origins(self, rows: pl.DataFrame) -> pl.DataFrame:
        """What a cost depends on: stretches that differ in where figures come from are one."""
        return self._joined(rows.drop(self.origins), self.values)

    def _joined(self, rows: pl.DataFrame, compared: list[str]) -> pl.DataFrame:
        """Rows that follow on each other and say the same, as one."""
        ordered = rows.sort(KEY, FROM)
        same = pl.all_horizontal(
            pl.col(name).eq_missing(pl.col(name).shift(1)) for name in (KEY, *compared)
        )
        follows = same & (pl.col(FROM) == pl.col(UNTIL).shift(1)).fill_null(value=False)
        return (
            ordered.group_by((~follows).cum_sum().alias("_run"), maintain_order=True)
            .agg(pl.all().exclude(UNTIL).first(), pl.col(UNTIL).last())
            .drop("_run")
        )


def _bounded(layer: pl.DataFrame) -> pl.DataFrame:
    """The layer with both ends of each validity written out."""
    since = pl.max_horizontal(FROM, pl.lit(EARLIEST_DAY))
    bounded = layer.with_columns(since.alias(FROM), pl.col(UNTIL).fill_null(ENDLESS))
    return bounded.filter(pl.col(FROM) < pl.col(UNTIL)).sort(FROM)


def _segments(layers: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Per key the stretches between two instants at which some layer changes."""
    cuts = [each.select(KEY, pl.col(name).alias(FROM)) for each in layers for name in (FROM, UNTIL)]
    ends = pl.col(FROM).shift(-1).over(KEY, order_by=FROM)
    segments = pl.concat(cuts).unique().with_columns(ends.alias(UNTIL))
    return segments.filter(pl.col(UNTIL).is_not_null()).sort(FROM)


def _beside(segments: pl.DataFrame, layer: pl.DataFrame, number: int) -> pl.DataFrame:
    """The segments with what a layer gives in each, its columns called by its number."""
    given = layer.rename({FROM: _GIVEN_FROM, UNTIL: _GIVEN_UNTIL})
    called = {name: f"{number} {name}" for name in given.columns if name != KEY}
    paired = segments.join_asof(
        given.rename(called).with_columns(pl.col(called[_GIVEN_FROM]).alias(FROM)),
        on=FROM,
        by=KEY,
        check_sortedness=False,
    )
    is_given = pl.col(FROM) < pl.col(called[_GIVEN_UNTIL])
    return paired.with_columns(pl.when(is_given).then(pl.col(called.values())))


def _origin(figures: Figures, numbers: range) -> pl.Expr:
    """Where the first column comes from; where it is null, why."""
    first = figures.columns[0]
    of_value = (
        pl.when(pl.col(f"{number} {first}").is_not_null()).then(f"{number} {figures.origin}")
        for number in numbers
    )
    why_null = (pl.col(f"{number} {figures.origin}") for number in numbers)
    return pl.coalesce(*of_value, *why_null, pl.lit("unknown")).alias(figures.origin or "")
