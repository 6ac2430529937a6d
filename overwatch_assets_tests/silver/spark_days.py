"""Days of Spark events, loaded one after the other as the machinery would."""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import polars as pl

from overwatch_assets.module import DECIDED_MS, LEFT_OUT, Carried, Day, History, Module, Window
from overwatch_assets.silver.spark_applications_silver import spark_applications_silver
from overwatch_assets_tests.frames import Row, ms, table, utc

CONTEXT = "ctx-1"
CLUSTER = "0506-1"
SQL = "org.apache.spark.sql.execution.ui.SparkListenerSQLExecution"


def event(name: str, at: str | int, context: str = CONTEXT, **more: object) -> Row:
    """A bronze row; times are ISO text or epoch ms."""
    event_ms = ms(at) if isinstance(at, str) else at
    named = {"Event": name, "SparkContextID": context, "eventTimeMS": event_ms}
    return {"clusterId": CLUSTER, **named, **more}


def application_start(at: str, context: str = CONTEXT, **more: object) -> Row:
    return event("SparkListenerApplicationStart", at, context, **more)


def application_end(at: str | int, context: str = CONTEXT, **more: object) -> Row:
    return event("SparkListenerApplicationEnd", at, context, **more)


def job_start(at: str | int, job_id: int = 0, context: str = CONTEXT, **more: object) -> Row:
    return event("SparkListenerJobStart", at, context, JobID=job_id, **more)


def job_end(at: str | int, job_id: int = 0, context: str = CONTEXT, **more: object) -> Row:
    return event("SparkListenerJobEnd", at, context, JobID=job_id, **more)


@dataclass(slots=True)
class Loaded:
    """What days of a module came to.

    Attributes:
        days: Stored rows per day.
        counted: Events left out per day and reason.
        reads: Keys that were looked up in the own past, per day.
    """

    days: dict[str, pl.DataFrame] = field(default_factory=dict[str, pl.DataFrame])
    counted: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    reads: dict[str, list[tuple[object, ...]]] = field(
        default_factory=dict[str, list[tuple[object, ...]]]
    )

    @property
    def closed(self) -> pl.DataFrame:
        """Closed rows of all days."""
        return pl.concat(self.days.values()).filter(~pl.col("is_open"))

    @property
    def open(self) -> pl.DataFrame:
        """Open rows of the last day."""
        return list(self.days.values())[-1].filter("is_open")

    def rows(self, day: str, *columns: str) -> list[tuple[object, ...]]:
        """Some columns of a day's rows."""
        return self.days[day].select(columns).sort(columns, nulls_last=True).rows()


def days_from(first: str, count: int) -> list[str]:
    """Adjacent days."""
    return [str(date.fromisoformat(first) + timedelta(days=each)) for each in range(count)]


def load(module: Module, events: Sequence[Row], days: Iterable[str]) -> Loaded:
    """Load days of a Spark silver module, its contexts first."""
    contexts = Loaded()
    loaded = Loaded()
    for day in days:
        window = Window(since=utc(day), until=utc(day) + timedelta(days=1))
        of_day = table("spark_events_bronze", *events).filter(
            window.contains_ms(pl.col("eventTimeMS"))
        )
        inputs = {"spark_events_bronze": of_day}
        _load_day(spark_applications_silver, inputs, contexts, day, window)
        if module is spark_applications_silver:
            continue
        inputs["spark_applications_silver"] = contexts.days[day].lazy()
        _load_day(module, inputs, loaded, day, window)
    return contexts if module is spark_applications_silver else loaded


def _load_day(
    module: Module, inputs: Mapping[str, pl.LazyFrame], loaded: Loaded, day: str, window: Window
) -> None:
    schema = module.table.schema
    past = pl.concat([pl.DataFrame(schema=schema), *loaded.days.values()])
    frames = {name: inputs[name] for name, read in module.reads.items() if isinstance(read, Day)}
    carried = loaded.open if loaded.days else past
    for name, read in module.reads.items():
        if isinstance(read, Carried):
            frames[name] = carried.lazy()
    for name, read in module.reads.items():
        if isinstance(read, History):
            asked = inspect.signature(read.wanted).parameters
            wanted = read.wanted(**{each: frames[each] for each in asked}).collect()
            frames[name] = (
                past.filter(~pl.col("is_open"))
                .select(read.columns)
                .join(wanted, on=wanted.columns, how="semi", nulls_equal=True)
                .lazy()
            )
            loaded.reads[day] = sorted(wanted.rows())
    made = module.transform(**frames, window=window).collect()
    if LEFT_OUT in made.columns:
        counts = made.drop_nulls(LEFT_OUT).group_by(LEFT_OUT).len().rows()
        loaded.counted[day] = dict(counts)
        made = made.filter(pl.col(LEFT_OUT).is_null())
    _require_lawful(module, made, carried, window)
    stored = pl.concat([pl.DataFrame(schema=schema), made.drop(DECIDED_MS)], how="diagonal")
    loaded.days[day] = stored.drop(LEFT_OUT, strict=False)


def _require_lawful(
    module: Module, made: pl.DataFrame, carried: pl.DataFrame, window: Window
) -> None:
    keys = made.select(module.table.key_columns)
    assert keys.n_unique() == keys.height
    lost = carried.join(keys, on=keys.columns, how="anti", nulls_equal=True)
    assert lost.is_empty()
    decided = made.filter(~pl.col("is_open"))[DECIDED_MS]
    assert decided.is_between(window.since_ms, window.until_ms, closed="left").all()
    assert made.filter("is_open")[DECIDED_MS].null_count() == made["is_open"].sum()
