"""What the API tells of a made-up workspace: rows of the bronze tables that ask it day by day.

A world is a function of its seed. How the API is asked is tried in `sources/rest_api/`; here are
its answers only, so that the laws hold for the tables made of them.
"""

import random

import polars as pl

from overwatch_assets.bronze.job_runs_snapshot_bronze import job_runs_snapshot_bronze
from overwatch_assets.bronze.sql_query_history_bronze import sql_query_history_bronze
from overwatch_assets.module import Module
from overwatch_assets.sources.json_shapes import Shaper
from overwatch_assets.sources.rest_api.api import Json
from overwatch_assets_tests.laws.harness import ASKED_MS, WorldSource
from overwatch_assets_tests.laws.spark_world import DAY, DAYS, HOUR, START


def api_sources(seed: int) -> dict[str, WorldSource]:
    """Job runs and queries of the days, by the name of their source."""
    pick = random.Random(seed)  # noqa: S311 - no secret
    runs = [_run(pick, number) for number in range(12)]
    return {
        "job_runs": WorldSource(_rows(job_runs_snapshot_bronze, runs), "start_time"),
        "sql_query_history": _queries(pick),
    }


def _run(pick: random.Random, number: int) -> Json:
    start = _instant(pick)
    ended = pick.random() < 0.7
    return {
        "job_id": number % 3,
        "run_id": number,
        "start_time": start,
        "end_time": start + pick.randrange(DAY) if ended else 0,
        "state": {"life_cycle_state": "TERMINATED" if ended else "RUNNING"},
    }


def _queries(pick: random.Random) -> WorldSource:
    """Each query on every day it is of, as it stood on the morning after."""
    told: list[Json] = []
    asked: list[int] = []
    for number in range(10):
        start = _instant(pick)
        end = start + pick.choice([1, HOUR, 30 * HOUR, 99 * DAY])
        for begin in range(START, START + len(DAYS) * DAY, DAY):
            if start < begin + DAY and end >= begin:
                told.append(_query(f"q-{number}", start, end, begin + DAY + 6 * HOUR))
                asked.append(begin)
    rows = _rows(sql_query_history_bronze, told)
    return WorldSource(rows.with_columns(pl.Series(ASKED_MS, asked, pl.Int64)), ASKED_MS)


def _query(query_id: str, start: int, end: int, now: int) -> Json:
    number = int(query_id.removeprefix("q-"))
    query: Json = {
        "query_id": query_id,
        "warehouse_id": (None, "w-1", "w-2", "w-3")[number % 4],
        "query_start_time_ms": start,
        "query_text": f"select {number}",
        "user_name": ("maria@acme.example", "noah@acme.example")[number % 2],
    }
    if end > now:
        return {**query, "status": "RUNNING", "is_final": False, "duration": now - start}
    ended: Json = {
        "status": "FINISHED",
        "is_final": True,
        "execution_end_time_ms": end - (end - start) // 4,
        "duration": end - start,
        "task_total_time_ms": 10 * (end - start),
        "query_compilation_start_timestamp": start + (end - start) // 4,
    }
    is_fetched = number % 3 > 0
    return {**query, **ended, **({"query_end_time_ms": end} if is_fetched else {})}


def _instant(pick: random.Random) -> int:
    """Often a midnight, or right before one; ties occur."""
    at = START + pick.randrange(len(DAYS) * DAY)
    if pick.random() < 0.3:
        at = max(START, at // DAY * DAY - pick.choice([0, 1]))
    return at


def _rows(module: Module, objects: list[Json]) -> pl.DataFrame:
    schema = pl.Schema({column.name: column.dtype for column in module.table.columns})
    return Shaper(schema).shape(objects).rows
