"""Redaction of what a source hands over, before anything of it is stored or told.

Stored rows that are united with new ones are treated alike: redacting twice changes nothing more,
so rows that were stored before redaction was switched on become equal to what is read anew.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

import polars as pl

from overwatch_assets.errors import OverwatchError, SourceError
from overwatch_assets.module import Content, Module, Table
from overwatch_assets.redaction.columns import may_change, redacted
from overwatch_assets.redaction.fingerprints import key_without_hashes
from overwatch_assets.redaction.texts import Texts
from overwatch_assets.sources.gathering import Gathered


@dataclass(frozen=True, slots=True)
class Redaction:
    """Redacts rows and messages."""

    texts: Texts

    def rows(self, table: Table, rows: pl.LazyFrame) -> pl.LazyFrame:
        """A table's rows as they are stored."""
        return rows.with_columns(
            self._column(table, name, dtype).alias(name)
            for name, dtype in rows.collect_schema().items()
            if may_change(dtype, _content(table, name))
        )

    def frame(self, table: Table, rows: pl.DataFrame) -> pl.DataFrame:
        """The same, at once."""
        return self.rows(table, rows.lazy()).collect()

    def shard_key(self, table: Table, rows: pl.LazyFrame) -> pl.Expr:
        """The key, hashes of records aside, that rows will have once they are redacted."""
        schema = rows.collect_schema()
        return pl.struct(
            key_without_hashes(table, lambda name: self._column(table, name, schema[name]))
        )

    def gathered(self, module: Module, gathered: Gathered) -> Gathered:
        """What a source handed over, its rows aside: they are redacted when they are united."""
        tracker = module.tracker
        return replace(
            gathered,
            rejected=self._by_day(module.rejected, gathered.rejected),
            errors=self._by_day(module.errors, gathered.errors),
            processed=self.frame(tracker, gathered.processed) if tracker else gathered.processed,
            failures=[self.texts.told(each) for each in gathered.failures],
            reasons={day: self.texts.told(each) for day, each in gathered.reasons.items()},
        )

    @contextmanager
    def told(self) -> Generator[None]:
        """Errors that are raised within tell nothing that would be redacted.

        An error that has nothing of the kind stays as it is; of another the text is redacted, and
        what caused it is no longer told.
        """
        try:
            yield
        except Exception as error:
            if not any(self._tells(each) for each in _chain(error)):
                raise
            text = self.texts.told(str(error))
            if isinstance(error, OverwatchError):
                error.args = (text,)
                raise error from None
            message = f"{type(error).__name__}: {text}"
            raise SourceError(message) from None

    def _tells(self, error: BaseException) -> bool:
        return self.texts.told(str(error)) != str(error)

    def _by_day(
        self, table: Table | None, rows: Mapping[date, pl.DataFrame]
    ) -> Mapping[date, pl.DataFrame]:
        if table is None:
            return rows
        return {day: self.frame(table, each) for day, each in rows.items()}

    def _column(self, table: Table, name: str, dtype: pl.DataType) -> pl.Expr:
        content = _content(table, name)
        if not may_change(dtype, content):
            return pl.col(name)
        return pl.col(name).map_batches(
            partial(redacted, content=content, texts=self.texts),
            return_dtype=dtype,
            is_elementwise=True,
        )


def _content(table: Table, name: str) -> Content | None:
    return next((each.content for each in table.columns if each.name == name), None)


def _chain(error: BaseException | None) -> Generator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
