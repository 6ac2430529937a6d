"""Jobs and their runs, in the versions 2.1 and 2.2 of the API.

A job or run of more than a hundred tasks is where they differ: 2.1 leaves the tasks out without
a word, 2.2 gives the first hundred, says `has_more`, and the rest page by page in `get`.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import cast

from overwatch_assets.demo.emulator.call import Call, Endpoint, Parameters, get
from overwatch_assets.demo.emulator.paging import Page, listed, position
from overwatch_assets.demo.emulator.refusals import invalid
from overwatch_assets.demo.emulator.workspace import Json

DEFAULT_LIMIT = 20
JOBS_MOST, JOBS_MOST_OFFSET = 100, 1_000
RUNS_MOST, RUNS_MOST_OFFSET = 25, 10_000
ELEMENTS = 100
"""Tasks, job clusters and the like that one answer holds."""

JOB_ARRAYS = ("tasks", "job_clusters", "parameters", "environments")
RUN_ARRAYS = ("tasks", "job_clusters", "job_parameters", "repair_history")
ACTIVE = {"QUEUED", "PENDING", "RUNNING", "TERMINATING", "BLOCKED", "WAITING_FOR_RETRY"}


def job_endpoints() -> tuple[Endpoint, ...]:
    """Every endpoint of jobs."""
    pages = ("limit", "page_token", "offset", "expand_tasks")
    run_filters = ("job_id", "run_type", "active_only", "completed_only")
    times = ("start_time_from", "start_time_to")
    endpoints: list[Endpoint] = []
    for version in ("2.1", "2.2"):
        is_old = version == "2.1"
        jobs = f"/api/{version}/jobs"
        endpoints += [
            get(f"{jobs}/list", partial(_jobs, is_old=is_old), *pages, "name"),
            get(
                f"{jobs}/get",
                partial(_job, is_old=is_old),
                "job_id",
                "page_token",
                "include_trigger_state",
            ),
            get(f"{jobs}/runs/list", partial(_runs, is_old=is_old), *pages, *run_filters, *times),
            get(
                f"{jobs}/runs/get",
                partial(_run, is_old=is_old),
                "run_id",
                "page_token",
                "include_history",
                "include_resolved_values",
            ),
        ]
    return tuple(endpoints)


def _jobs(call: Call, *, is_old: bool) -> Json:
    at = position(call, most_offset=JOBS_MOST_OFFSET)
    limit = at.asked.limited("limit", least=1, most=JOBS_MOST) or DEFAULT_LIMIT
    name = at.asked.text("name")
    jobs = [
        each
        for each in call.workspace.jobs(at.at_ms)
        if name is None or str(_settings(each).get("name")).lower() == name.lower()
    ]
    newest_first = sorted(jobs, key=lambda job: _number(job, "created_time"), reverse=True)
    page = at.page(newest_first, limit)
    is_expanded = at.asked.flag("expand_tasks")
    items = [
        _with_settings(each, partial(_cut, is_old=is_old, is_expanded=is_expanded))
        for each in page.items
    ]
    return _list_answer("jobs", items, page, is_old=is_old)


def _job(call: Call, *, is_old: bool) -> Json:
    job_id = call.parameters.required("job_id")
    found = [each for each in call.workspace.jobs(call.now_ms) if str(each["job_id"]) == job_id]
    if not found:
        raise invalid(f"Job {job_id} does not exist.")
    settings, after = _elements(call, _settings(found[0]), JOB_ARRAYS, is_old=is_old)
    return {**found[0], "settings": settings, **after}


def _runs(call: Call, *, is_old: bool) -> Json:
    at = position(call, most_offset=RUNS_MOST_OFFSET)
    limit = at.asked.limited("limit", least=0, most=RUNS_MOST)
    runs = [each for each in call.workspace.job_runs(at.at_ms) if _is_asked_for(each, at.asked)]
    newest_first = sorted(runs, key=lambda run: _number(run, "start_time"), reverse=True)
    page = at.page(newest_first, DEFAULT_LIMIT if limit is None else limit or RUNS_MOST)
    is_expanded = at.asked.flag("expand_tasks")
    items = [_cut(each, RUN_ARRAYS, is_old=is_old, is_expanded=is_expanded) for each in page.items]
    return _list_answer("runs", items, page, is_old=is_old)


def _run(call: Call, *, is_old: bool) -> Json:
    run_id = call.parameters.required("run_id")
    runs = call.workspace.job_runs(call.now_ms)
    found = [each for each in runs if str(each["run_id"]) == run_id]
    if not found:
        raise invalid(f"Run {run_id} does not exist.")
    run, after = _elements(call, found[0], RUN_ARRAYS, is_old=is_old)
    return {**run, **after}


def _is_asked_for(run: Json, asked: Parameters) -> bool:
    since_ms, until_ms = asked.number("start_time_from"), asked.number("start_time_to")
    if asked.flag("active_only") and asked.flag("completed_only"):
        raise invalid("active_only and completed_only can't both be true")
    started_ms = _number(run, "start_time")
    state = cast("Mapping[str, object]", run.get("state") or {})
    is_active = state.get("life_cycle_state") in ACTIVE
    return (
        (since_ms is None or started_ms >= since_ms)
        and (until_ms is None or started_ms <= until_ms)
        and asked.text("job_id") in {None, str(run.get("job_id"))}
        and asked.text("run_type") in {None, run.get("run_type")}
        and not (asked.flag("active_only") and not is_active)
        and not (asked.flag("completed_only") and is_active)
    )


def _list_answer(key: str, items: Sequence[Json], page: Page, *, is_old: bool) -> Json:
    """A page of jobs or runs; version 2.2 no longer says `has_more` of the list."""
    answer = listed(key, items)
    if is_old:
        answer["has_more"] = page.next_token is not None
    if page.next_token is not None:
        answer["next_page_token"] = page.next_token
    if page.previous_token is not None:
        answer["prev_page_token"] = page.previous_token
    return answer


def _with_settings(job: Json, cut: Callable[[Json, Sequence[str]], Json]) -> Json:
    """A job of a list; in version 2.2 `has_more` stands beside the settings."""
    settings = dict(cut(_settings(job), JOB_ARRAYS))
    has_more = settings.pop("has_more", None)
    listed = {**job, "settings": settings}
    return listed if has_more is None else {**listed, "has_more": has_more}


def _cut(holder: Json, arrays: Sequence[str], *, is_old: bool, is_expanded: bool) -> Json:
    """An object of a list: without its arrays, or with as much of them as a list gives."""
    if not is_expanded:
        return {key: value for key, value in holder.items() if key not in arrays}
    too_long = [key for key in arrays if len(_array(holder, key)) > ELEMENTS]
    if is_old:
        return {key: value for key, value in holder.items() if key not in too_long}
    cut = {key: _array(holder, key)[:ELEMENTS] for key in too_long}
    return {**holder, **cut, **({"has_more": True} if too_long else {})}


def _elements(
    call: Call, holder: Json, arrays: Sequence[str], *, is_old: bool
) -> tuple[Json, Json]:
    """A single object with a page of its arrays, and the token of the next page."""
    if is_old:
        return _cut(holder, arrays, is_old=True, is_expanded=True), {}
    at = position(call)
    parts = {key: _array(holder, key) for key in arrays if key in holder}
    longest = max((len(part) for part in parts.values()), default=0)
    nothing: Json = {}
    page = at.page([nothing] * longest, ELEMENTS)
    until = at.offset + ELEMENTS
    cut = {key: part[at.offset : until] for key, part in parts.items()}
    after: Json = {} if page.next_token is None else {"next_page_token": page.next_token}
    return {**holder, **cut}, after


def _settings(job: Json) -> Json:
    return cast("Json", job["settings"])


def _array(holder: Mapping[str, object], key: str) -> list[object]:
    value = holder.get(key)
    return cast("list[object]", value) if isinstance(value, list) else []


def _number(holder: Json, key: str) -> int:
    value = holder.get(key)
    return value if isinstance(value, int) else 0
