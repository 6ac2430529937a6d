"""Objects in the API's answers that are no records: which, why, and how they begin."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from overwatch_assets.sources.json_lines import KEPT_BYTES
from overwatch_assets.sources.json_shapes import json_text
from overwatch_assets.sources.rest_api.captures import KEPT_REJECTS, REJECTED_SCHEMA
from overwatch_assets.sources.secret_texts import struck_out
from overwatch_assets.sources.signed_hash import signed_hash


@dataclass
class RejectedObjects:
    """Takes the rejected objects of one table.

    Attributes:
        table: For whom they were asked.
        endpoint: Method and path that told them.
    """

    table: str
    endpoint: str
    _rows: dict[date, list[tuple[object, ...]]] = field(
        default_factory=dict[date, list[tuple[object, ...]]]
    )
    _taken: int = 0

    def take(self, day: date, reason: str, each: object) -> None:
        """Keep the first kilobyte of an object, without secrets, for a day."""
        self._taken += 1
        if self._taken > KEPT_REJECTS:
            return
        kept = json_text(each) or "nested too deeply"
        record = struck_out(kept).encode()[:KEPT_BYTES].decode(errors="ignore")
        row = (self.table, self.endpoint, reason, signed_hash(record.encode()), record)
        self._rows.setdefault(day, []).append(row)

    def by_day(self) -> Mapping[date, pl.DataFrame]:
        """What was rejected, by day."""
        return {
            day: pl.DataFrame(rows, schema=REJECTED_SCHEMA, orient="row")
            for day, rows in sorted(self._rows.items())
        }

    def counts(self) -> Mapping[str, int]:
        """How many more were rejected than are kept."""
        too_many = max(0, self._taken - KEPT_REJECTS)
        return {"rejected_not_kept": too_many} if too_many else {}
