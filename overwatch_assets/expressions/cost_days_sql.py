"""The rules of `cost_days.py` in SQL, for engines that read the tables without this package.

Steps of a query, in order: name -> select. They build on the tables' shown rows, by their names,
and on `calendar`: days (`date`) with the epoch ms at which they begin and end.
"""

from collections.abc import Mapping, Sequence

from overwatch_assets.expressions.cost_days import CLUSTER_DAY, NO_STATES, OF_RUN, UNKNOWN_COST
from overwatch_assets.expressions.cost_sums import SUMMED
from overwatch_assets.sql_dialect import Dialect

Steps = Mapping[str, str]

OF_STATES = ("organization_id", "workspace_name", "cluster_id", "cluster_name", "custom_tags")
OF_RUNS = (
    "organization_id",
    "workspace_name",
    "job_id",
    "job_name",
    "run_id",
    "job_run_id",
    "task_key",
    "cluster_id",
    "cluster_name",
    "cluster_type",
    "cluster_tags",
    "terminal_state",
    "job_trigger_type",
    "task_type",
    "submitted_by",
    "is_open",
    "partition_date",
)
TOTALS = {
    "total_driver_cost": "driver_compute_cost + driver_dbu_cost",
    "total_worker_cost": "worker_compute_cost + worker_dbu_cost",
    "total_compute_cost": "driver_compute_cost + worker_compute_cost",
    "total_dbu_cost": "driver_dbu_cost + worker_dbu_cost",
    "total_cost": "(driver_compute_cost + worker_compute_cost)"
    " + (driver_dbu_cost + worker_dbu_cost)",
}

_START = "s.unixTimeMS_state_start"


def state_days() -> Steps:
    """States by day, as the last step."""
    in_day = f"least(s._stop_ms, c._until_ms) - greatest({_START}, c._since_ms)"
    shares = ", ".join(f"{name} * _share as {name}" for name in SUMMED)
    return {
        "state_lengths": "select *, unixTimeMS_state_end + 1 - cast(is_open as int) as _stop_ms "
        "from clusterstatefact_gold",
        "state_parts": f"select s.*, c.date, "  # noqa: S608 - names of columns
        f"({in_day}) / cast(s._stop_ms - {_START} as double) as _share "
        f"from state_lengths s join calendar c "
        f"on {_START} < c._until_ms and s._stop_ms > c._since_ms where s._stop_ms > {_START}",
        "state_days": f"select {', '.join(OF_STATES)}, date, {shares}, "  # noqa: S608 - the same
        f"{_reason('cost_reason', repr(UNKNOWN_COST))} as cost_reason, is_open from state_parts",
    }


def run_days(dialect: Dialect) -> Steps:
    """Runs by day, as the last step."""
    keys = ", ".join(OF_RUN)
    same = [" and ".join(f"r.{name} = {other}.{name}" for name in OF_RUN) for other in "ta"]
    amounts = ", ".join(f"a.{name} as {name}" for name in SUMMED)
    reason = _reason("a.cost_reason", "r.cost_reason", repr(NO_STATES), of="a.")
    return {
        "run_amounts": f"select {', '.join(f'r.{name}' for name in OF_RUN)}, a.date as date, "  # noqa: S608 - names of columns
        f"{amounts}, a.cost_reason as cost_reason "
        f"from jobruncostpotentialfact_gold r {dialect.exploded('r.daily_costs', 'a')}",
        "run_spans": f"select {keys}, is_open, task_runtime.startEpochMS as _start_ms, "  # noqa: S608 - the same
        "task_runtime.endEpochMS as _end_ms from jobruncostpotentialfact_gold",
        "run_dates": f"select {keys}, c.date from run_spans join calendar c "  # noqa: S608 - the same
        "on _start_ms < c._until_ms and (_start_ms >= c._since_ms or case when is_open "
        "then c.date <= partition_date else c._since_ms < _end_ms end) "
        f"union select {keys}, date from run_amounts where date is not null",
        "run_days": f"select {', '.join(f'r.{name}' for name in OF_RUNS)}, t.date, {amounts}, "  # noqa: S608 - the same
        f"a.run_id is not null as _is_borne, {reason} as cost_reason "
        f"from jobruncostpotentialfact_gold r join run_dates t on {same[0]} "
        f"left join run_amounts a on {same[1]} and a.date = t.date",
    }


def idle_days(dialect: Dialect) -> Steps:
    """Clusters by day, as the last step; runs by day stand before it."""
    on = " and ".join(f"s.{name} = r.{name}" for name in CLUSTER_DAY)
    named = ("organization_id", "workspace_name", "cluster_id", "cluster_name", "date")
    borne = {name: f"case when r.is_open is null then 0 else r.{name} end" for name in SUMMED}
    amounts = ", ".join(
        f"s.{name}, {run} as _run_{name}, s.{name} - {run} as _idle_{name}"
        for name, run in borne.items()
    )
    return {
        **state_days(),
        **run_days(dialect),
        "clusters_by_day": summed_by(
            dialect, "state_days", CLUSTER_DAY, named=["cluster_name"], is_whole=True
        ),
        "borne": "select * from run_days where _is_borne",
        "runs_by_day": summed_by(dialect, "borne", CLUSTER_DAY, is_whole=True),
        "idle_days": f"select {', '.join(f's.{name}' for name in named)}, {amounts}, "  # noqa: S608 - names of columns
        "s.cost_reason, s.is_open or coalesce(r.is_open, false) as is_open "
        f"from clusters_by_day s left join runs_by_day r on {on}",
    }


def summed_by(
    dialect: Dialect,
    source: str,
    by: Sequence[str],
    *,
    named: Sequence[str] = (),
    is_whole: bool = False,
    more: str = "",
) -> str:
    """Amounts by some columns, with what is lacking of them and whether they may still change.

    Args:
        dialect: The SQL that is written.
        source: Step that is summed.
        by: Columns that a group has in common.
        named: Columns that tell of a group; of several the last in the alphabet.
        is_whole: A sum is null where a part is unknown; else it is of what is known.
        more: Further aggregates.
    """
    whole = "case when count({0}) = count(*) then sum({0}) end as {0}"
    amount = whole if is_whole else "sum({0}) as {0}"
    columns = (
        *by,
        *(f"max({name}) as {name}" for name in ("workspace_name", *named)),
        *(amount.format(name) for name in SUMMED),
        f"cast(sum(case when {_lacking()} then 1 else 0 end) as bigint) as unknown_rows",
        f"{dialect.reasons('cost_reason')} as cost_reason",
        "bool_or(is_open) as is_open",
        *([more] if more else []),
    )
    return f"select {', '.join(columns)} from {source} group by {', '.join(by)}"  # noqa: S608 - names of columns


def with_totals(source: str) -> str:
    """Rows with the totals of their parts."""
    totals = ", ".join(f"{amount} as {name}" for name, amount in TOTALS.items())
    return f"select *, {totals} from {source}"  # noqa: S608 - names of columns


def _lacking(of: str = "") -> str:
    return " or ".join(f"{of}{name} is null" for name in SUMMED)


def _reason(*told: str, of: str = "") -> str:
    """Why an amount of a row is null; null where all are known."""
    return f"case when {_lacking(of)} then coalesce({', '.join(told)}) end"
