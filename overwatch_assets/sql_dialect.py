"""The SQL that views are generated in: what DuckDB and Databricks write differently.

Here belongs how a name, a text, a type or a list is written. Not here: what a view is
(`view.py`), or which rows it shows (`presentation/`).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

import polars as pl

Regime = tuple[date, date, int]
"""First and last of adjacent days, and the ms that midnight comes before that of UTC."""


class Dialect(ABC):
    """How one engine writes SQL."""

    name: ClassVar[str]
    quote: ClassVar[str]
    types: ClassVar[Mapping[type[pl.DataType], str]]

    def quoted(self, name: str) -> str:
        """A name, whatever it holds."""
        return self.quote + name.replace(self.quote, self.quote * 2) + self.quote

    def listed(self, names: Sequence[str], of: str = "") -> str:
        """Names with commas, of a relation if it is given."""
        before = f"{of}." if of else ""
        return ", ".join(before + self.quoted(name) for name in names)

    def type_of(self, dtype: object) -> str:
        """The type of a column."""
        if isinstance(dtype, pl.List):
            return self.list_of(self.type_of(dtype.inner))
        if isinstance(dtype, pl.Struct):
            return self.struct_of([(each.name, self.type_of(each.dtype)) for each in dtype.fields])
        if isinstance(dtype, pl.Map):
            return self.map_of(self.type_of(dtype.key), self.type_of(dtype.value))
        return next(name for known, name in self.types.items() if dtype == known)

    @abstractmethod
    def text(self, value: str) -> str:
        """A text."""

    @abstractmethod
    def list_of(self, inner: str) -> str:
        """Type of a list."""

    @abstractmethod
    def struct_of(self, fields: Sequence[tuple[str, str]]) -> str:
        """Type of a struct."""

    @abstractmethod
    def map_of(self, key: str, value: str) -> str:
        """Type of a map."""

    @abstractmethod
    def exploded(self, items: str, row: str) -> str:
        """What follows a relation of a `from` to repeat it for each item of a list of its own."""

    @abstractmethod
    def tags_in(self, source: str, kept: str, tags: str) -> str:
        """A query of some columns, `tag_key` and `tag_value`, a row per tag of a JSON text."""

    @abstractmethod
    def reasons(self, column: str) -> str:
        """The reasons in a group, each once and in order; null where there are none."""

    @abstractmethod
    def whole_quotient(self, one: str, other: str) -> str:
        """How often a whole number has room in another, the rest left out."""

    @abstractmethod
    def midnights(self, regimes: Sequence[Regime]) -> str:
        """A query of days and the epoch ms at which they begin: `date`, `since_ms`."""


@dataclass(frozen=True, slots=True)
class Duckdb(Dialect):
    """DuckDB."""

    name = "duckdb"
    quote = '"'
    types: ClassVar[Mapping[type[pl.DataType], str]] = {
        pl.String: "varchar",
        pl.Int64: "bigint",
        pl.Int32: "integer",
        pl.Float64: "double",
        pl.Boolean: "boolean",
        pl.Date: "date",
        pl.Datetime: "timestamptz",
    }

    def text(self, value: str) -> str:
        """A text."""
        return "'" + value.replace("'", "''") + "'"

    def list_of(self, inner: str) -> str:
        """Type of a list."""
        return f"{inner}[]"

    def struct_of(self, fields: Sequence[tuple[str, str]]) -> str:
        """Type of a struct."""
        return f"struct({', '.join(f'{self.quoted(name)} {of}' for name, of in fields)})"

    def map_of(self, key: str, value: str) -> str:
        """Type of a map."""
        return f"map({key}, {value})"

    def exploded(self, items: str, row: str) -> str:
        """What follows a relation of a `from` to repeat it for each item of a list of its own."""
        return f"cross join unnest({items}) as exploded({row})"

    def tags_in(self, source: str, kept: str, tags: str) -> str:
        """A query of some columns, `tag_key` and `tag_value`, a row per tag of a JSON text."""
        told = f"case when json_valid({tags}) then cast({tags} as json) end"
        told = f"try_cast({told} as map(varchar, varchar))"
        return (
            f"select {kept}, tag.key as tag_key, tag.value as tag_value "  # noqa: S608 - quoted names
            f"from {source} {self.exploded(f'map_entries({told})', 'tag')}"
        )

    def reasons(self, column: str) -> str:
        """The reasons in a group, each once and in order; null where there are none."""
        told = f"list(string_split({column}, ', ')) filter (where {column} is not null)"
        return f"nullif(array_to_string(list_sort(list_distinct(flatten({told}))), ', '), '')"

    def whole_quotient(self, one: str, other: str) -> str:
        """How often a whole number has room in another, the rest left out."""
        return f"(({one}) // ({other}))"

    def midnights(self, regimes: Sequence[Regime]) -> str:
        """A query of days and the epoch ms at which they begin: `date`, `since_ms`."""
        days = self.exploded("generate_series(first_day, last_day, interval 1 day)", "midnight")
        day = "cast(midnight as date)"
        return (
            f"select {day} as date, "  # noqa: S608 - quoted names
            f"date_diff('day', date '1970-01-01', {day}) * 86400000 - offset_ms as since_ms "
            f"from (values {_rows(regimes)}) as regimes(first_day, last_day, offset_ms) {days}"
        )


@dataclass(frozen=True, slots=True)
class Databricks(Dialect):
    """Databricks SQL, and Spark SQL with it."""

    name = "databricks"
    quote = "`"
    types: ClassVar[Mapping[type[pl.DataType], str]] = {
        pl.String: "string",
        pl.Int64: "bigint",
        pl.Int32: "int",
        pl.Float64: "double",
        pl.Boolean: "boolean",
        pl.Date: "date",
        pl.Datetime: "timestamp",
    }

    def text(self, value: str) -> str:
        r"""A text; two quotes would end it and begin another, so `\` stands before each."""
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def list_of(self, inner: str) -> str:
        """Type of a list."""
        return f"array<{inner}>"

    def struct_of(self, fields: Sequence[tuple[str, str]]) -> str:
        """Type of a struct."""
        return f"struct<{', '.join(f'{self.quoted(name)}: {of}' for name, of in fields)}>"

    def map_of(self, key: str, value: str) -> str:
        """Type of a map."""
        return f"map<{key}, {value}>"

    def exploded(self, items: str, row: str) -> str:
        """What follows a relation of a `from` to repeat it for each item of a list of its own."""
        return f"lateral view explode({items}) exploded as {row}"

    def tags_in(self, source: str, kept: str, tags: str) -> str:
        """A query of some columns, `tag_key` and `tag_value`, a row per tag of a JSON text."""
        told = f"from_json({tags}, 'map<string, string>')"
        return (
            f"select {kept}, tag_key, tag_value "  # noqa: S608 - quoted names
            f"from {source} lateral view explode({told}) exploded as tag_key, tag_value"
        )

    def reasons(self, column: str) -> str:
        """The reasons in a group, each once and in order; null where there are none."""
        told = f"collect_list(split({column}, ', '))"
        return f"nullif(array_join(array_sort(array_distinct(flatten({told}))), ', '), '')"

    def whole_quotient(self, one: str, other: str) -> str:
        """How often a whole number has room in another, the rest left out."""
        return f"(({one}) div ({other}))"

    def midnights(self, regimes: Sequence[Regime]) -> str:
        """A query of days and the epoch ms at which they begin: `date`, `since_ms`."""
        days = self.exploded("sequence(first_day, last_day, interval 1 day)", "midnight")
        day = "cast(midnight as date)"
        return (
            f"select {day} as date, "  # noqa: S608 - days
            f"datediff({day}, date '1970-01-01') * 86400000L - offset_ms as since_ms "
            f"from (values {_rows(regimes)}) as regimes(first_day, last_day, offset_ms) {days}"
        )


def _rows(regimes: Sequence[Regime]) -> str:
    return ", ".join(f"(date '{first}', date '{last}', {ms})" for first, last, ms in regimes)


DUCKDB, DATABRICKS = Duckdb(), Databricks()
DIALECTS: Mapping[str, Dialect] = {each.name: each for each in (DUCKDB, DATABRICKS)}
