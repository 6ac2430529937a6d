"""The rules of `query_costs.py` in SQL, for engines that read the tables without this package.

Steps of a query, in order: name -> select. They build on the tables' shown rows, by their names,
and on `calendar`: days (`date`) with the epoch ms at which they begin and end. Shares are counted
in the same whole parts of a millisecond as there.
"""

from collections.abc import Mapping

from overwatch_assets.expressions.cost_days import UNKNOWN_COST
from overwatch_assets.expressions.cost_shares import COMING_UP, PARTS
from overwatch_assets.expressions.query_costs import (
    AMOUNTS,
    END_UNKNOWN,
    NO_STATES,
    QUERY,
    WAREHOUSE_DAY,
)
from overwatch_assets.sql_dialect import Dialect

Steps = Mapping[str, str]

OF_STATE = ("organization_id", "warehouse_id", "_start_ms")
"""What names a state that has a length."""

OF_QUERY = (
    *("organization_id", "workspace_name", "warehouse_id", "query_id", "query_start_time_ms"),
    *("user_name", "executed_as_user_name", "statement_type", "status", "is_open"),
    "partition_date",
)
"""What views show of a query."""


def query_days(dialect: Dialect) -> Steps:
    """Queries by day, as the last step."""
    of_query = ", ".join(f"q.{name}" for name in OF_QUERY)
    is_idle = "d._busy_ms = 0 and coalesce(q.end_reason, '') <> 'vanished'"
    amounts = ", ".join(
        f"case when b._query is not null then b.{name} when {is_idle} then 0 end as {name}"
        for name in AMOUNTS
    )
    part = (
        "case when q._since_ms is null then 1 "
        "else d._busy_ms / cast(q._until_ms - q._since_ms as double) end"
    )
    return {
        **_query_shares(dialect),
        "query_dates": "select _query, date, cast(sum(_ms) as bigint) as _busy_ms, "
        "max(_starts) = 1 as has_started from (select q._query, c.date, 0 as _starts, "
        "least(q._until_ms, c._until_ms) - greatest(q._since_ms, c._since_ms) as _ms "
        "from query_spans q join calendar c "
        "on q._since_ms < c._until_ms and q._until_ms > c._since_ms "
        "union all select q._query, c.date, 1, 0 from query_spans q join calendar c "
        "on q.query_start_time_ms >= c._since_ms and q.query_start_time_ms < c._until_ms) as told "
        "group by _query, date",
        "query_amounts": f"select {of_query}, q.end_reason, d.date, d.has_started, {amounts}, "  # noqa: S608 - names of columns
        "cast(d._busy_ms as double) / 1000 as busy_S, "
        f"cast(q.task_total_time_ms as double) / 3600000 * {part} as core_hours, "
        "b._query is not null as _is_borne, b._state_reason "
        "from query_spans q join query_dates d on q._query = d._query "
        "left join query_shares b on d._query = b._query and d.date = b.date",
        "query_days": f"select *, case when {_lacking()} then "  # noqa: S608 - the same
        f"case when end_reason = 'vanished' then '{END_UNKNOWN}' "
        f"when _is_borne then coalesce(_state_reason, '{UNKNOWN_COST}') "
        f"else '{NO_STATES}' end end as cost_reason from query_amounts",
    }


def idle_days(dialect: Dialect) -> Steps:
    """Warehouses by day, with what queries bear and what is idle, as the last step."""
    by_day = ", ".join(WAREHOUSE_DAY)
    on = " and ".join(f"w.{name} = q.{name}" for name in WAREHOUSE_DAY)
    borne = {name: f"case when q.is_open is null then 0 else q.{name} end" for name in AMOUNTS}
    amounts = ", ".join(
        f"w.{name}, {of_queries} as query_{name}, w.{name} - {of_queries} as idle_{name}"
        for name, of_queries in borne.items()
    )
    named = ("organization_id", "workspace_name", "warehouse_id", "warehouse_name", "date")
    return {
        **_query_shares(dialect),
        **_warehouse_days(dialect),
        "queries_by_day": f"select {', '.join(f'q.{name}' for name in WAREHOUSE_DAY[:2])}, b.date, "  # noqa: S608 - names of columns
        f"{_all_or_null('b.')}, bool_or(q.is_open) as is_open "
        f"from query_shares b join query_spans q on b._query = q._query group by {by_day}",
        "idle_days": f"select {', '.join(f'w.{name}' for name in named)}, {amounts}, "  # noqa: S608 - the same
        "w.cost_reason, w.is_open or coalesce(q.is_open, false) as is_open "
        f"from warehouses_by_day w left join queries_by_day q on {on}",
    }


def _query_shares(dialect: Dialect) -> Steps:
    """What each query bears of its warehouse on each day, as the last step."""
    state = ", ".join(OF_STATE)
    in_state = f"over (partition by {state} order by _at)"
    of_met = ", ".join(f"m.{name}" for name in (*OF_STATE, "_stop_ms", *AMOUNTS, "_state_reason"))
    ends = [
        " and ".join(
            [*(f"p.{name} = {moment}.{name}" for name in OF_STATE), f"p.{at} = {moment}._at"]
        )
        for moment, at in (("a", "_piece_since_ms"), ("b", "_piece_until_ms"))
    ]
    share = f"cast(b._before - a._before as double) / ((p._stop_ms - p._start_ms) * {PARTS})"
    shares = ", ".join(f"p.{name} * ({share}) as {name}" for name in AMOUNTS)
    return {
        **_query_spans(),
        **_warehouse_states(),
        **_run_states(),
        "pieces": f"select m._query, c.date, {of_met}, "  # noqa: S608 - names of columns
        "greatest(m._since_ms, c._since_ms) as _piece_since_ms, "
        "least(m._until_ms, c._until_ms) as _piece_until_ms from met m join calendar c "
        "on m._since_ms < c._until_ms and m._until_ms > c._since_ms",
        "moments": f"select {state}, _at, sum(_change) as _change from ("  # noqa: S608 - the same
        f"select {state}, _since_ms as _at, 1 as _change from met "
        f"union all select {state}, _until_ms, -1 from met "
        f"union all select {state}, _piece_since_ms, 0 from pieces "
        f"union all select {state}, _piece_until_ms, 0 from pieces) as told "
        f"group by {state}, _at",
        "running": f"select {state}, _at, cast(sum(_change) {in_state} as bigint) as _running, "  # noqa: S608 - the same
        f"lead(_at) {in_state} - _at as _length_ms from moments",
        "shared": f"select {state}, _at, case when _running > 0 "  # noqa: S608 - the same
        f"then {dialect.whole_quotient(f'_length_ms * {PARTS}', '_running')} else 0 end as _parts "
        "from running",
        "borne_before": f"select {state}, _at, "  # noqa: S608 - the same
        f"cast(sum(_parts) {in_state} as bigint) - _parts as _before from shared",
        "borne": f"select p._query, p.date, {shares}, p._state_reason "  # noqa: S608 - the same
        f"from pieces p join borne_before a on {ends[0]} join borne_before b on {ends[1]}",
        "query_shares": f"select _query, date, {_all_or_null()}, "  # noqa: S608 - the same
        f"{dialect.reasons('_state_reason')} as _state_reason from borne group by _query, date",
    }


def _query_spans() -> Steps:
    """Queries with a number, and from when to when they were executed; null: never."""
    taken = (
        "coalesce(query_compilation_start_timestamp, "
        "case when overloading_queue_start_timestamp is null "
        "and provisioning_queue_start_timestamp is null then query_start_time_ms end)"
    )
    until = (
        "coalesce(execution_end_time_ms, query_end_time_ms, case when is_open then c._until_ms end)"
    )
    return {
        "queries": f"select q.*, row_number() over (order by {', '.join(QUERY)}) as _query, "  # noqa: S608 - names of columns
        f"{taken} as _taken_ms, {until} as _ended_ms "
        "from sql_query_history_gold q left join calendar c on q.partition_date = c.date",
        "query_spans": "select *, case when _ended_ms > _taken_ms then _taken_ms end as _since_ms, "
        "case when _ended_ms > _taken_ms then _ended_ms end as _until_ms from queries",
    }


def _warehouse_states() -> Steps:
    """States that have a length, as shares are computed of them."""
    return {
        "state_lengths": "select *, unixTimeMS_state_start as _start_ms, "
        "unixTimeMS_state_end + 1 - cast(is_open as int) as _stop_ms from warehousestatefact_gold",
        "warehouse_states": "select organization_id, workspace_name, warehouse_id, warehouse_name, "
        "is_open, state, _start_ms, _stop_ms, driver_dbus as total_dbus, total_dbu_cost, "
        "cost_reason as _state_reason from state_lengths where _stop_ms > _start_ms",
    }


def _run_states() -> Steps:
    """Queries and the states in which they were executed, from when to when they bear them."""
    of_state = ", ".join(f"s.{name}" for name in OF_STATE)
    coming_up = ", ".join(map(repr, COMING_UP))
    amounts = ", ".join(f"s.{name}" for name in AMOUNTS)
    return {
        "met": f"select q._query, {of_state}, s._stop_ms, {amounts}, s._state_reason, "  # noqa: S608 - names of columns
        f"case when s.state in ({coming_up}) "
        f"and q._since_ms = min(q._since_ms) over (partition by {of_state}) "
        "then s._start_ms else greatest(s._start_ms, q._since_ms) end as _since_ms, "
        "least(s._stop_ms, q._until_ms) as _until_ms "
        "from query_spans q join warehouse_states s "
        "on q.organization_id = s.organization_id and q.warehouse_id = s.warehouse_id "
        "and q._since_ms < s._stop_ms and q._until_ms > s._start_ms",
    }


def _warehouse_days(dialect: Dialect) -> Steps:
    """Warehouses by day, as the last step."""
    share = (
        "(least(s._stop_ms, c._until_ms) - greatest(s._start_ms, c._since_ms)) "
        "/ cast(s._stop_ms - s._start_ms as double)"
    )
    amounts = ", ".join(f"s.{name} * ({share}) as {name}" for name in AMOUNTS)
    by_day = ", ".join(WAREHOUSE_DAY)
    reason = f"case when {_lacking()} then coalesce(_state_reason, '{UNKNOWN_COST}') end"
    return {
        "state_days": "select s.organization_id, s.workspace_name, s.warehouse_id, "  # noqa: S608 - names of columns
        f"s.warehouse_name, s.is_open, s._state_reason, c.date, {amounts} "
        "from warehouse_states s join calendar c "
        "on s._start_ms < c._until_ms and s._stop_ms > c._since_ms",
        "explained": f"select *, {reason} as cost_reason from state_days",  # noqa: S608 - the same
        "warehouses_by_day": f"select {by_day}, max(workspace_name) as workspace_name, "  # noqa: S608 - the same
        f"max(warehouse_name) as warehouse_name, {_all_or_null()}, "
        f"{dialect.reasons('cost_reason')} as cost_reason, bool_or(is_open) as is_open "
        f"from explained group by {by_day}",
    }


def _all_or_null(of: str = "") -> str:
    """Sums in a group; null where a part is unknown."""
    whole = "case when count({0}{1}) = count(*) then sum({0}{1}) end as {1}"
    return ", ".join(whole.format(of, name) for name in AMOUNTS)


def _lacking() -> str:
    return " or ".join(f"{name} is null" for name in AMOUNTS)
