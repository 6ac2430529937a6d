"""Days of cluster events, loaded one after the other as the machinery would."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import polars as pl

from overwatch_assets.execution.laws import require_lawful
from overwatch_assets.execution.windows import Cell
from overwatch_assets.module import LEFT_OUT, DayWindow, Window
from overwatch_assets.silver.cluster_state_detail_silver import cluster_state_detail_silver
from overwatch_assets_tests.frames import Row, ms, table, utc
from overwatch_assets_tests.laws.cluster_world import audit_event, audit_rows
from overwatch_assets_tests.reference.files import configured, reference

CLUSTER = "0506-1"
BILLABLE_STATES = reference(configured()).inputs["billable_states"]
AUTOSCALE = {"autoscale": {"min_workers": 2, "max_workers": 8}}


def event(kind: str, at: str | int, cluster: str = CLUSTER, **details: object) -> Row:
    """An event; times are ISO text or epoch ms."""
    instant = ms(at) if isinstance(at, str) else at
    return {"cluster_id": cluster, "timestamp": instant, "type": kind, "details": details}


def running(at: str | int, workers: int, cluster: str = CLUSTER) -> Row:
    counts = {"current_num_workers": workers, "target_num_workers": workers}
    return event("RUNNING", at, cluster, **counts)


def starting(at: str | int, size: object = AUTOSCALE, cluster: str = CLUSTER) -> Row:
    return event("STARTING", at, cluster, cluster_size=size)


def version(
    action: str, at: str | int, cluster: str = CLUSTER, *, is_automated: bool = False
) -> Row:
    """A version of a cluster's definition."""
    return {
        "cluster_id": cluster,
        "timestamp": ms(at) if isinstance(at, str) else at,
        "actionName": action,
        "is_automated": is_automated,
    }


def job_cluster(cluster: str = CLUSTER) -> Row:
    return version("create", 0, cluster, is_automated=True)


@dataclass(frozen=True)
class Run:
    """A job run on a cluster; times are ISO text or epoch ms, no end: it goes on."""

    begin: str | int
    end: str | int | None = None
    cluster: str = CLUSTER
    kind: str = "run"
    cluster_type: str = "existing"


def captured(at: str | int, **states: str) -> list[Row]:
    """A capture of all clusters: `c_0506_1="RUNNING"` by the cluster's id."""
    instant = ms(at) if isinstance(at, str) else at
    named = {key.removeprefix("c_").replace("_", "-"): state for key, state in states.items()}
    return [
        {"cluster_id": cluster, "state": state, "captured_at_ms": instant}
        for cluster, state in named.items()
    ]


def commanded(at: str | int, cluster: str | None = CLUSTER, status: int = 200) -> Row:
    """A command in a notebook that ends on a cluster."""
    instant = ms(at) if isinstance(at, str) else at
    return audit_event(instant, "notebook.runCommand", {"clusterId": cluster}, status=status)


@dataclass(frozen=True)
class History:
    """What is told of clusters, of whatever days."""

    events: Sequence[Row] = ()
    versions: Sequence[Row] = ()
    runs: Sequence[Run] = ()
    captures: Sequence[Row] = ()
    commands: Sequence[Row] = ()


@dataclass
class Loaded:
    """What days came to.

    Attributes:
        days: Stored rows per day.
        counted: Events left out per day and reason.
        entity: Column that names what the states are of.
    """

    days: dict[str, pl.DataFrame] = field(default_factory=dict[str, pl.DataFrame])
    counted: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    entity: str = "cluster_id"

    @property
    def shown(self) -> pl.DataFrame:
        """Closed rows of all days and the open ones of the last, by start."""
        *_, last = self.days
        closed = pl.concat(self.days.values()).filter(~pl.col("is_open"))
        rows = pl.concat([closed, self.days[last].filter("is_open")])
        return rows.sort(self.entity, "unixTimeMS_state_start", "seq")

    def rows(self, *columns: str) -> list[tuple[object, ...]]:
        """Some columns of what is shown."""
        return self.shown.select(columns).rows()


def load(history: History, windows: Mapping[str, Window]) -> Loaded:
    """Load windows of the module one after the other."""
    loaded = Loaded()
    carried = table("cluster_state_detail_silver").collect()
    for name, window in windows.items():
        rows = cluster_state_detail_silver(
            *_frames(history, window), carried.lazy(), window=window
        ).collect(engine="in-memory")
        left_out = rows.filter(pl.col(LEFT_OUT).is_not_null())
        loaded.counted[name] = dict(left_out.group_by(LEFT_OUT).len().iter_rows())
        stored = rows.filter(pl.col(LEFT_OUT).is_null())
        day = DayWindow(date(1970, 1, 1), window)
        cell = Cell("cluster_state_detail_silver", "acme", day.day)
        require_lawful(cluster_state_detail_silver, cell, stored, day, carried)
        loaded.days[name] = stored
        schema = cluster_state_detail_silver.table.schema
        known = [name for name in schema if name in stored.columns]
        carried = pl.concat(
            [pl.DataFrame(schema=schema), stored.filter("is_open").select(known)], how="diagonal"
        )
    return loaded


def load_days(history: History, first: str, count: int = 1) -> Loaded:
    """Load whole days."""
    return load(history, whole_days(first, count))


def whole_days(first: str, count: int) -> dict[str, Window]:
    """Adjacent days by name."""
    begin = utc(first)
    starts = [begin + timedelta(days=number) for number in range(count)]
    return {str(at.date()): Window(since=at, until=at + timedelta(days=1)) for at in starts}


def versions_seen(name: str, versions: Sequence[Row], window: Window) -> pl.LazyFrame:
    """Versions up to the end of the day; those before it are open."""
    before = pl.col("timestamp") < window.since_ms
    return (
        table(name, *versions)
        .filter(pl.col("timestamp") < window.until_ms)
        .with_columns(is_open=before, seq=pl.lit(0, pl.Int64))
    )


def captures_seen(name: str, captures: Sequence[Row], window: Window) -> pl.LazyFrame:
    """Captures of the day, and the closing one."""
    told, at = table(name, *captures), pl.col("captured_at_ms")
    of_day = told.filter(window.contains_ms(at)).with_columns(is_closing=pl.lit(value=False))
    later = told.filter(at >= window.until_ms, at == at.filter(at >= window.until_ms).min())
    return pl.concat([of_day, later.with_columns(is_closing=pl.lit(value=True))])


def _frames(history: History, window: Window) -> Iterable[pl.LazyFrame]:
    events = table("cluster_events_bronze", *history.events)
    yield events.filter(window.contains_ms(pl.col("timestamp")))
    yield _runs(history.runs, window)
    told = audit_rows([dict(each) for each in history.commands]).lazy()
    yield told.filter(window.contains_ms(pl.col("timestamp")))
    yield versions_seen("cluster_spec_silver", history.versions, window)
    yield captures_seen("clusters_snapshot_bronze", history.captures, window)
    yield BILLABLE_STATES.lazy()


def _runs(runs: Sequence[Run], window: Window) -> pl.LazyFrame:
    """Rows of the day: runs that ended on it, and those that had begun and go on."""
    rows: list[Row] = []
    for each in runs:
        begin, end = _epoch(each.begin), _epoch(each.end)
        is_over = end is not None and end < window.until_ms
        if begin is None or begin >= window.until_ms or (end is not None and end < window.since_ms):
            continue
        rows.append(
            {
                "clusterId": each.cluster,
                "clusterType": each.cluster_type,
                "row_kind": each.kind,
                "TaskRunTime": {"startEpochMS": begin, "endEpochMS": end if is_over else None},
                "is_open": not is_over,
            }
        )
    return table("jobrun_silver", *rows)


def _epoch(at: str | int | None) -> int | None:
    return ms(at) if isinstance(at, str) else at


def window(since: int, until: int) -> Window:
    """A window in epoch ms."""
    return Window(since=_instant(since), until=_instant(until))


def _instant(epoch_ms: int) -> datetime:
    return utc("1970-01-01") + timedelta(milliseconds=epoch_ms)
