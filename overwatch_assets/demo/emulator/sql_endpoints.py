"""SQL warehouses and the history of the queries that they ran."""

from overwatch_assets.demo.emulator.call import Call, Endpoint, get
from overwatch_assets.demo.emulator.paging import listed, position
from overwatch_assets.demo.emulator.refusals import invalid, missing
from overwatch_assets.demo.emulator.workspace import Json

HISTORY_DEFAULT, HISTORY_MOST = 100, 1000
WAREHOUSES_MOST = 1000
LONGEST_RANGE_MS = 30 * 24 * 3_600_000
"""Longest range of time that the history may be asked for."""

_START = "filter_by.query_start_time_range.start_time_ms"
_END = "filter_by.query_start_time_range.end_time_ms"
_HISTORY_FILTERS = {
    "filter_by.statement_ids": "query_id",
    "filter_by.statuses": "status",
    "filter_by.user_ids": "user_id",
    "filter_by.warehouse_ids": "warehouse_id",
}


def sql_endpoints() -> tuple[Endpoint, ...]:
    """Every endpoint of SQL but statements."""
    history = ("max_results", "page_token", "include_metrics", _START, _END, *_HISTORY_FILTERS)
    return (
        get("/api/2.0/sql/warehouses", _warehouses, "page_size", "page_token", "run_as_user_id"),
        get("/api/2.0/sql/warehouses/{id}", _warehouse, "id"),
        get("/api/2.0/sql/history/queries", _history, *history),
    )


def _warehouses(call: Call) -> Json:
    at = position(call)
    size = at.asked.limited("page_size", least=0, most=1 << 31) or WAREHOUSES_MOST
    page = at.page(call.workspace.warehouses(at.at_ms), min(size, WAREHOUSES_MOST))
    after: Json = {} if page.next_token is None else {"next_page_token": page.next_token}
    return {**listed("warehouses", page.items), **after}


def _warehouse(call: Call) -> Json:
    warehouse_id = call.parameters.required("id")
    for each in call.workspace.warehouses(call.now_ms):
        if each["id"] == warehouse_id:
            return each
    raise missing(f"SQL warehouse {warehouse_id} does not exist")


def _history(call: Call) -> Json:
    """Queries, the latest first; metrics only for who asks for them."""
    at = position(call)
    size = at.asked.limited("max_results", least=1, most=HISTORY_MOST) or HISTORY_DEFAULT
    since_ms, until_ms = at.asked.number(_START), at.asked.number(_END)
    latest_ms = at.at_ms if until_ms is None else until_ms
    if since_ms is not None and latest_ms - since_ms > LONGEST_RANGE_MS:
        raise invalid("query_start_time_range: must be less than or equal to 30 days")
    wanted = {field: at.asked.several(name) for name, field in _HISTORY_FILTERS.items()}
    queries = [
        each
        for each in call.workspace.queries(at.at_ms)
        if (since_ms or 0) <= _started_ms(each) <= latest_ms
        and all(not values or str(each.get(field)) in values for field, values in wanted.items())
    ]
    page = at.page(sorted(queries, key=_started_ms, reverse=True), size)
    left_out = set[str]() if at.asked.flag("include_metrics") else {"metrics"}
    items = [
        {key: value for key, value in each.items() if key not in left_out} for each in page.items
    ]
    answer: Json = {**listed("res", items), "has_next_page": page.next_token is not None}
    return answer if page.next_token is None else {**answer, "next_page_token": page.next_token}


def _started_ms(query: Json) -> int:
    return int(str(query["query_start_time_ms"]))
