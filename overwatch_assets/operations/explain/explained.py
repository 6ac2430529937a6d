"""An explanation, for people and for machines."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from overwatch_assets.operations.query import as_text as rows_as_text

LONGEST = 120
"""Characters of a text that people are shown: prices name the file they come from."""


@dataclass(frozen=True, slots=True)
class Explained:
    """What makes up a number.

    Attributes:
        headline: What the number is of.
        figures: The number, and what else is said in one value.
        parts: What it is made of, by what the rows are.
    """

    headline: str
    figures: Mapping[str, object]
    parts: Mapping[str, pl.DataFrame]


def as_text(explained: Sequence[Explained]) -> str:
    """For people."""
    lines: list[str] = []
    for each in explained:
        lines += ["", each.headline] if lines else [each.headline]
        lines += [f"  {name:<14} {shown(value)}" for name, value in each.figures.items()]
        for title, rows in each.parts.items():
            lines += ["", title, rows_as_text(rows, LONGEST) if rows.height else "  none"]
    return "\n".join(lines)


def as_json(explained: Sequence[Explained]) -> str:
    """For machines."""
    told = [
        {
            "headline": each.headline,
            "figures": dict(each.figures),
            "parts": {title: rows.to_dicts() for title, rows in each.parts.items()},
        }
        for each in explained
    ]
    return json.dumps(told, indent=2, default=str)


def shown(value: object) -> str:
    """A figure as people read it; unrounded figures are in the JSON."""
    if value is None:
        return "unknown"
    return f"{value:,.6g}" if isinstance(value, float) else str(value)
