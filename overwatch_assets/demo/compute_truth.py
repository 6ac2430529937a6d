"""The ground truth about compute: states, machines, DBUs, costs, runs, events, objects.

Taken from what the simulation knows, in plain Python; `cost_shares.py` states the rules of the
costs. States are half-open, end to end: `end_ms` is the start of the next one. Where telemetry
cannot tell the truth, `gaps` names the subject.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from overwatch_assets.demo.cluster_life import ClusterLife
from overwatch_assets.demo.cost_shares import Amount, State, pieces_of, states_of
from overwatch_assets.demo.job_runs import JobRun, TaskRun
from overwatch_assets.demo.ledger import Gap, WorkspaceCompute
from overwatch_assets.demo.prices import PriceRow, Prices
from overwatch_assets.demo.scene import DAY_MS

Json = dict[str, object]

REMEMBERED_MS = 30 * DAY_MS
DIGITS = 9


@dataclass(slots=True)
class _Costs:
    """Costs by what bears them; days are ISO dates."""

    clusters: dict[str, dict[str, Amount]]
    idle: dict[str, dict[str, Amount]]
    runs: dict[int, dict[str, Amount]]


def compute_truth(compute: WorkspaceCompute, since_ms: int, until_ms: int) -> Json:
    """Return the truth about a workspace's compute in `[since_ms, until_ms)`."""
    lives = list(compute.lives())
    runs = [run for run in compute.runs() if run.submitted_ms < until_ms]
    on_cluster: dict[str, list[TaskRun]] = defaultdict(list)
    for task in (task for run in runs for task in run.tasks):
        if task.cluster_id is not None and task.started_ms is not None:
            on_cluster[task.cluster_id].append(task)
    costs = _costs(lives, on_cluster, compute.prices, since_ms, until_ms)
    return {
        "prices": _prices(compute.prices),
        "clusters": {
            life.cluster_id: _cluster(life, costs, since_ms, until_ms)
            for life in lives
            if life.created_ms < until_ms
        },
        "runs": {str(run.run_id): _run(run, costs, until_ms) for run in runs},
        "jobs": _per_job(runs, costs),
        "users": _per_user(runs, costs),
        "cluster_events": _events(lives, since_ms, until_ms),
        "objects": _objects(compute, lives, runs, _days(since_ms, until_ms)),
        "gaps": [
            _gap(gap, lives, on_cluster)
            for gap in (*compute.gaps, *_edited_while_scaled(lives))
            if since_ms <= gap.at_ms < until_ms
        ],
    }


def _costs(
    lives: Iterable[ClusterLife],
    on_cluster: dict[str, list[TaskRun]],
    prices: Prices,
    since_ms: int,
    until_ms: int,
) -> _Costs:
    costs = _Costs(_by_two(), _by_two(), _by_two())
    for life in lives:
        tasks = on_cluster.get(life.cluster_id, [])
        for piece in pieces_of(life, tasks, prices, since_ms, until_ms):
            day = _day(piece.day * DAY_MS)
            costs.clusters[life.cluster_id][day].add(piece.amount)
            if not piece.runs:
                costs.idle[life.cluster_id][day].add(piece.amount)
            for task in piece.runs:
                costs.runs[task.run_id][day].add(piece.amount, 1 / len(piece.runs))
    return costs


def _cluster(life: ClusterLife, costs: _Costs, since_ms: int, until_ms: int) -> Json:
    states = [each for each in states_of(life, until_ms) if each.until_ms > since_ms]
    spec = life.spec_at(until_ms - 1)
    is_deleted = life.deleted_ms is not None and life.deleted_ms < until_ms
    return {
        "name": spec.name,
        "source": spec.source,
        "sku": spec.sku,
        "is_photon": spec.is_photon,
        "is_single_node": spec.is_single_node,
        "created_ms": life.created_ms,
        "deleted_ms": life.deleted_ms if is_deleted else None,
        "states": [_state(state) for state in states],
        "days": {
            day: {
                **_machines(amount),
                **_usd(amount),
                "idle": _usd(costs.idle[life.cluster_id].get(day, Amount())),
            }
            for day, amount in costs.clusters[life.cluster_id].items()
        },
    }


def _state(state: State) -> Json:
    phase = state.phase
    return {
        "state": phase.state,
        "start_ms": state.since_ms,
        "end_ms": state.until_ms,
        "is_open": state.is_open,
        "current_workers": phase.current,
        "target_workers": phase.target,
        "is_running": phase.is_running,
        "is_dbu_billable": phase.is_dbu_billable,
        "is_told": phase.is_told,
    }


def _run(run: JobRun, costs: _Costs, until_ms: int) -> Json:
    return {
        "job_id": run.job_id,
        "name": run.name,
        "asked": run.asked,
        "trigger": run.trigger,
        "by": run.by.email,
        "submitted_ms": run.submitted_ms,
        "is_legacy": run.is_legacy,
        "ends": [[end.at_ms, end.ending] for end in run.ends if end.at_ms < until_ms],
        "cancels": [
            [cancel.at_ms, cancel.run_id] for cancel in run.cancels if cancel.at_ms < until_ms
        ],
        "repairs": [
            [repair.at_ms, repair.repair_id, list(repair.task_keys)]
            for repair in run.repairs
            if repair.at_ms < until_ms
        ],
        "tasks": [_task(task, costs, until_ms) for task in run.tasks if _begun(task) < until_ms],
    }


def _task(task: TaskRun, costs: _Costs, until_ms: int) -> Json:
    is_over = task.ended_ms is not None and task.ended_ms < until_ms
    return {
        "run_id": task.run_id,
        "key": task.key,
        "kind": task.kind,
        "place": task.place,
        "cluster_id": task.cluster_id,
        "started_ms": task.started_ms,
        "ended_ms": task.ended_ms if is_over else None,
        "ending": task.ending if is_over else None,
        "depends_on": list(task.depends_on),
        "repair_id": task.repair_id,
        "is_end_told": task.is_end_told,
        "days": {day: _usd(amount) for day, amount in costs.runs[task.run_id].items()},
        **_usd(_sum(costs.runs[task.run_id].values())),
    }


def _begun(task: TaskRun) -> int:
    """When a task run began, or ended without beginning."""
    begun_ms = task.ended_ms if task.started_ms is None else task.started_ms
    return 0 if begun_ms is None else begun_ms


def _per_job(runs: Iterable[JobRun], costs: _Costs) -> Json:
    jobs: dict[int, Amount] = defaultdict(Amount)
    for run in runs:
        for task in run.tasks:
            jobs[run.job_id].add(_sum(costs.runs[task.run_id].values()))
    return {str(job_id): _usd(amount) for job_id, amount in jobs.items()}


def _per_user(runs: Iterable[JobRun], costs: _Costs) -> Json:
    """What the runs that somebody asked for cost, by user and day."""
    users: dict[str, dict[str, Amount]] = _by_two()
    for run in runs:
        for task in run.tasks:
            for day, amount in costs.runs[task.run_id].items():
                users[run.by.email][day].add(amount)
    return {
        user: {day: _usd(amount) for day, amount in sorted(days.items())}
        for user, days in users.items()
    }


def _events(lives: Iterable[ClusterLife], since_ms: int, until_ms: int) -> Json:
    """Count the events that the API tells, be it for a moment; days without are there, too."""
    counts: dict[str, Counter[str]] = {day: Counter() for day in _days(since_ms, until_ms)}
    for life in lives:
        for event in life.events:
            if since_ms <= event.at_ms < until_ms and _is_known(life, event.at_ms):
                counts[_day(event.at_ms)][event.type] += 1
    return {day: dict(count) for day, count in counts.items()}


def _objects(
    compute: WorkspaceCompute,
    lives: Iterable[ClusterLife],
    runs: Iterable[JobRun],
    days: Iterable[str],
) -> Json:
    """Count what the API knows at the end of each day."""
    jobs, counts = list(compute.jobs()), dict[str, object]()
    for day in days:
        begin = round(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1000
        last = begin + DAY_MS - 1
        known = [life for life in lives if _is_known(life, last)]
        counts[day] = {
            "clusters": len(known),
            "running_clusters": sum(_is_running(life, last) for life in known),
            "jobs": sum(job.exists(last) for job in jobs),
            "job_runs": sum(run.submitted_ms <= last for run in runs),
            "instance_pools": sum(pool.exists(last) for pool in compute.pools),
        }
    return counts


def _is_known(life: ClusterLife, last_ms: int) -> bool:
    if not life.phases or life.phases[0].since_ms > last_ms or _is_gone(life, last_ms):
        return False
    stop = life.stop_at(last_ms)
    if _is_running(life, last_ms) or stop is None or life.is_pinned(last_ms):
        return True
    return last_ms < stop.done_ms + REMEMBERED_MS - 1


def _is_running(life: ClusterLife, last_ms: int) -> bool:
    phase = life.phase_at(last_ms)
    return phase is not None and phase.is_running


def _is_gone(life: ClusterLife, at_ms: int) -> bool:
    return life.deleted_ms is not None and life.deleted_ms <= at_ms


def _edited_while_scaled(lives: Iterable[ClusterLife]) -> Iterator[Gap]:
    """Yield the edits whose event tells a size that is not that of the moment."""
    for life in lives:
        for phase in life.phases:
            is_edit = phase.state == "EDITED" and phase.is_running
            if is_edit and phase.current != life.spec_at(phase.since_ms).min_workers:
                yield Gap("edited_while_scaled", life.cluster_id, phase.since_ms)


def _gap(gap: Gap, lives: Iterable[ClusterLife], on_cluster: dict[str, list[TaskRun]]) -> Json:
    said: Json = {"kind": gap.kind, "subject": gap.subject, "at_ms": gap.at_ms}
    life = next((life for life in lives if life.cluster_id == gap.subject), None)
    if life is None:
        return said
    signs = [event.at_ms for event in life.events]
    for task in on_cluster.get(gap.subject, []):
        signs += [at_ms for at_ms in (task.started_ms, task.ended_ms) if at_ms is not None]
    return {**said, "heard_ms": max(at_ms for at_ms in signs if at_ms <= gap.at_ms)}


def _prices(prices: Prices) -> Json:
    return {
        "dbu": [_price(row) for row in prices.dbu],
        "node": [_price(row) for row in prices.node],
    }


def _price(row: PriceRow) -> Json:
    until = row.active_until
    return {
        "name": row.name,
        "usd": row.usd,
        "active_from": row.active_from.isoformat(),
        "active_until": None if until is None else until.isoformat(),
    }


def _machines(amount: Amount) -> Json:
    return {
        "driver_s": round(amount.driver_s, 3),
        "worker_s": round(amount.worker_s, 3),
        "billed_driver_s": round(amount.billed_driver_s, 3),
        "billed_worker_s": round(amount.billed_worker_s, 3),
    }


def _usd(amount: Amount) -> Json:
    return {
        "dbus": round(amount.dbus, DIGITS),
        "compute_usd": round(amount.compute_usd, DIGITS),
        "dbu_usd": round(amount.dbu_usd, DIGITS),
        "total_usd": round(amount.total_usd, DIGITS),
    }


def _sum(amounts: Iterable[Amount]) -> Amount:
    total = Amount()
    for amount in amounts:
        total.add(amount)
    return total


def _by_two() -> defaultdict[Any, dict[str, Amount]]:
    return defaultdict(lambda: defaultdict(Amount))


def _days(since_ms: int, until_ms: int) -> Iterator[str]:
    first = datetime.fromtimestamp(since_ms / 1000, tz=UTC).date()
    count = (until_ms - since_ms) // DAY_MS
    return ((first + timedelta(days=n)).isoformat() for n in range(count))


def _day(at_ms: int) -> str:
    return date.fromordinal(date(1970, 1, 1).toordinal() + at_ms // DAY_MS).isoformat()
