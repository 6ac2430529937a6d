"""What a consumer view declares: its name and its columns over one gold table.

Here belongs the declaration. How closed and open rows are chosen, and the three ways to read a
view, are in `presentation/` and `cli.py`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class View:
    """A consumer view: a column list over a gold table.

    Attributes:
        name: As users query it, in Overwatch's spelling.
        table: Table read.
        columns: Columns shown, in order. `is_open` and `partition_date` follow by themselves.
        doc: One row per what, and what surprises.
    """

    name: str
    table: str
    columns: tuple[str, ...]
    doc: str
