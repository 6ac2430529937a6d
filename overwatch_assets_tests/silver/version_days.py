"""Days of a table of versions, one after the other: what is carried, and where captures lie."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import polars as pl

from overwatch_assets.execution.laws import unique_keys
from overwatch_assets.execution.timelines import state_of
from overwatch_assets.module import LEFT_OUT, Module, Window
from overwatch_assets_tests.frames import Row, table, utc
from overwatch_assets_tests.laws.cluster_world import audit_rows

Others = Callable[[Window], Mapping[str, pl.LazyFrame]]


@dataclass(slots=True)
class Followed:
    """What days of a module came to.

    Attributes:
        rows: Rows of all days, in order of time.
        left_out: Rows left out, per reason.
        carried: Each entity's latest version at the end of the last day.
    """

    rows: pl.DataFrame
    carried: pl.DataFrame
    left_out: dict[str, int] = field(default_factory=dict[str, int])


def window_of(day: str) -> Window:
    """A day, UTC."""
    return Window(since=utc(day), until=utc(day) + timedelta(days=1))


def follow(
    module: Module,
    events: Sequence[Row],
    *,
    captures: Sequence[Row] = (),
    days: Sequence[str | Window] = ("2024-05-06",),
    others: Others | None = None,
) -> Followed:
    """Adjacent days, as the loader would make them one by one.

    Args:
        module: Module of the table of versions.
        events: Audit events of all days.
        captures: Captures of all days.
        days: The days.
        others: Other frames of a day, by parameter.
    """
    captured = [name for name in module.reads if name.endswith("_snapshot_bronze")]
    timeline = module.timeline
    assert timeline is not None
    declared = [column.name for column in module.table.columns]
    audit = audit_rows([dict(event) for event in events])
    found = Followed(pl.DataFrame(), table(module.table.name).collect())
    for each in days:
        window = each if isinstance(each, Window) else window_of(each)
        made = module.transform(
            **{
                "audit_log_bronze": audit.lazy().filter(window.contains_ms(pl.col("timestamp"))),
                **{
                    name: captures_seen(name, captures, window).with_columns(
                        is_first_day=pl.lit(each == days[0])
                    )
                    for name in captured
                },
                "carried": found.carried.lazy(),
                **(others(window) if others else {}),
            },
            window=window,
        ).collect()
        if LEFT_OUT in made.columns:
            for reason in made[LEFT_OUT].drop_nulls():
                found.left_out[reason] = found.left_out.get(reason, 0) + 1
            made = made.filter(pl.col(LEFT_OUT).is_null())
        assert made["timestamp"].is_between(window.since_ms, window.until_ms - 1).all()
        assert unique_keys(module.table, made) is None
        rows = made.select(name for name in declared if name in made.columns)
        found.rows = pl.concat([found.rows, rows]) if found.rows.width else rows
        versions = pl.concat(
            [found.carried, rows.with_columns(is_open=pl.lit(value=False))], how="diagonal"
        )
        found.carried = state_of(versions.lazy(), timeline, window.until_ms)
    found.rows = found.rows.sort("timestamp", "seq")
    return found


def captures_seen(name: str, captures: Sequence[Row], window: Window) -> pl.LazyFrame:
    """Captures of the day and of the first day after it that has any."""
    at = pl.col("captured_at_ms")
    day = at // (window.until_ms - window.since_ms)
    is_later = at >= window.until_ms
    return (
        table(name, *captures)
        .with_columns(is_closing=is_later & (day == day.filter(is_later).min()))
        .filter(window.contains_ms(at) | pl.col("is_closing"))
    )
