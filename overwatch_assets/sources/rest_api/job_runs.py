"""Runs of jobs, asked for by the day of their start."""

from collections import Counter
from dataclasses import dataclass
from functools import partial

import polars as pl

from overwatch_assets.sources.gathering import Gathered, Request
from overwatch_assets.sources.rest_api.answers import list_of, number_of, object_of
from overwatch_assets.sources.rest_api.api import Api, Json, Query
from overwatch_assets.sources.rest_api.day_rows import DayRows
from overwatch_assets.sources.rest_api.paging import listed, pages
from overwatch_assets.sources.rest_api.rejected_objects import RejectedObjects
from overwatch_assets.sources.rest_api.time_slices import TimeSlice, time_slices, told_of_slices

LIST = "/api/2.2/jobs/runs/list"
GET = "/api/2.2/jobs/runs/get"
PAGE_SIZE = 25
SLICE_HOURS = 6
DAY_MS = 86_400_000

REMEMBERED_MS = 60 * DAY_MS
"""How long the API remembers a run."""

ARRAYS = ("tasks", "job_clusters", "job_parameters", "repair_history")
"""What a list gives the first hundred elements of."""

_OF_PAGES = ("has_more", "next_page_token", "prev_page_token")


@dataclass(frozen=True, slots=True)
class JobRuns:
    """The job runs of one workspace.

    Attributes:
        api: The workspace's API.
        table: For whom; rejected objects are kept under this name.
        threads: Parts of days that are asked for at the same time.
    """

    api: Api
    table: str
    threads: int

    def gather(self, request: Request) -> Gathered:
        """Ask for the runs that started on the days.

        Raises:
            ApiError: A part of the answer can't be had.
        """
        forgotten_ms = request.now_ms - REMEMBERED_MS
        asked = [each for each in request.days if each.window.until_ms > forgotten_ms]
        rows, rejected = DayRows.of(request), RejectedObjects(self.table, f"GET {LIST}")
        counts = Counter[str]()
        for part, runs in told_of_slices(
            self._runs, time_slices(asked, SLICE_HOURS), threads=self.threads
        ):
            for run in runs:
                told = object_of(run) or {}
                started_ms = number_of(told.get("start_time"))
                if started_ms is None or number_of(told.get("run_id")) is None:
                    rejected.take(part.day, _why_no_run(run), run)
                elif part.contains(started_ms):
                    rows.take(part.day, told)
                else:
                    counts["runs_of_other_times"] += 1
        return Gathered(
            rows=rows.by_day(),
            rejected=rejected.by_day(),
            processed=pl.DataFrame(),
            counts={**counts, **rows.counts(), **rejected.counts()},
            reasons={
                each.day: "the API remembers the job runs of 60 days only"
                for each in request.days
                if each not in asked
            },
        )

    def _runs(self, part: TimeSlice) -> list[object]:
        query: Query = {
            "limit": PAGE_SIZE,
            "expand_tasks": True,
            "start_time_from": part.since_ms,
            "start_time_to": part.until_ms,
        }
        ask = partial(self.api.get, LIST)
        return [self._whole(run) for run in listed(ask, query, "runs", what=LIST)]

    def _whole(self, run: object) -> object:
        """A run with all of its tasks: a list gives the first hundred."""
        told = object_of(run) or {}
        run_id = number_of(told.get("run_id"))
        if told.get("has_more") is not True or run_id is None:
            return run
        whole: Json = {}
        for page in pages(partial(self.api.get, GET), {"run_id": run_id}, what=GET):
            arrays = {
                key: [*list_of(whole, key, GET), *list_of(page, key, GET)]
                for key in ARRAYS
                if key in page
            }
            whole = {**whole, **page, **arrays}
        return {key: value for key, value in whole.items() if key not in _OF_PAGES}


def _why_no_run(run: object) -> str:
    told = object_of(run)
    if told is None:
        return "not an object"
    return "no run_id" if number_of(told.get("run_id")) is None else "no start_time"
