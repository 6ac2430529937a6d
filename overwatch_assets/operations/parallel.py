"""Loads workspaces side by side, each in a process of its own: they share nothing but commits."""

import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from multiprocessing import connection, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Event

from overwatch_assets.config import Config
from overwatch_assets.execution.redo import Reason, Step
from overwatch_assets.execution.windows import Cell
from overwatch_assets.operations.beside_signals import beside_signals
from overwatch_assets.operations.dagster_home import open_instance
from overwatch_assets.operations.plan import Plan
from overwatch_assets.operations.progress import Watcher
from overwatch_assets.operations.run import Outcome, Runner, RunReport, TableResult
from overwatch_assets.registry import in_load_order
from overwatch_assets.resources import Deployment

LOOK_EVERY_S = 0.2
"""How long a request to stop may wait."""

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class _NamedStep:
    """A step as it is sent to another process; a module's functions can't be."""

    table: str
    organization_id: str
    days: tuple[date, ...]
    reason: Reason
    rows_now: int


@dataclass(frozen=True, slots=True)
class _Share:
    """What one process is to do."""

    config: Config
    clock: Clock | None
    steps: tuple[_NamedStep, ...]


@dataclass(slots=True)
class _Worker:
    """A process that loads a workspace."""

    process: SpawnProcess
    news: Connection
    plan: Plan
    report: RunReport | None = None


def run_side_by_side(
    deployment: Deployment, plan: Plan, watcher: Watcher, processes: int
) -> RunReport:
    """Load what a plan says, several workspaces at once.

    Args:
        deployment: What is loaded; the others make theirs of its configuration and clock.
        plan: At least one step.
        watcher: Is told what the processes tell.
        processes: How many at most.

    Returns:
        What came of all, in the order of the plan's workspaces. A table whose process ended
        without a word failed.
    """
    waiting = [Plan(steps) for steps in _by_workspace(plan)]
    order = [each.steps[0].organization_id for each in waiting]
    context = get_context("spawn")
    stopping = context.Event()
    workers: list[_Worker] = []
    done: list[_Worker] = []
    try:
        while waiting or workers:
            if deployment.stopping.is_set():
                stopping.set()
            if stopping.is_set():
                waiting.clear()
            while waiting and len(workers) < processes:
                workers.append(_started(deployment, waiting.pop(0), stopping, processes))
            for worker in _heard(workers, watcher):
                workers.remove(worker)
                done.append(worker)
    finally:
        for worker in workers:
            worker.process.kill()
            worker.process.join()
    done.sort(key=lambda each: order.index(each.plan.steps[0].organization_id))
    results = [result for each in done for result in _told(each).results]
    return RunReport(results, is_stopped=stopping.is_set())


def _by_workspace(plan: Plan) -> Iterator[tuple[Step, ...]]:
    for org in dict.fromkeys(step.organization_id for step in plan.steps):
        yield tuple(step for step in plan.steps if step.organization_id == org)


def _started(deployment: Deployment, plan: Plan, stopping: Event, processes: int) -> _Worker:
    context = get_context("spawn")
    theirs, ours = context.Pipe(duplex=False)
    named = tuple(
        _NamedStep(
            step.module.table.name, step.organization_id, step.days, step.reason, step.rows_now
        )
        for step in plan.steps
    )
    config = deployment.config
    share = _Share(
        replace(config, workers=max(1, config.workers // processes)), deployment.clock, named
    )
    process = context.Process(target=_work, args=(pickle.dumps(share), ours, stopping))
    process.start()
    ours.close()
    return _Worker(process, theirs, plan)


def _heard(workers: Sequence[_Worker], watcher: Watcher) -> list[_Worker]:
    """Pass on what workers tell; returns those that have ended."""
    ended: list[_Worker] = []
    by_news = {each.news: each for each in workers}
    for ready in connection.wait(list(by_news), timeout=LOOK_EVERY_S):
        worker = by_news[ready]  # pyright: ignore[reportArgumentType] - only these were waited for
        try:
            told = worker.news.recv()
        except (EOFError, OSError):  # it is gone, perhaps in the midst of a message
            worker.process.join()
            ended.append(worker)
            continue
        if isinstance(told, RunReport):
            worker.report = told
        elif isinstance(told, Cell):
            watcher.loaded(told)
        else:
            watcher.began(*told)
    return ended


def _told(worker: _Worker) -> RunReport:
    """A worker's report; that of one which died says so of all its tables."""
    if worker.report is not None:
        return worker.report
    code = worker.process.exitcode or 0
    how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
    memory = (
        "; is there enough memory for `parallel_workspaces`?" if code == -signal.SIGKILL else ""
    )
    error = f"the process that loaded this workspace {how}; run it again{memory}"
    return RunReport(
        [
            TableResult(
                step.module.table.name,
                step.organization_id,
                step.days,
                Outcome.FAILED,
                error=error,
            )
            for step in worker.plan.steps
        ]
    )


def _steps(named: Sequence[_NamedStep]) -> tuple[Step, ...]:
    modules = {module.table.name: module for module in in_load_order()}
    return tuple(
        Step(modules[each.table], each.organization_id, each.days, each.reason, each.rows_now)
        for each in named
    )


def _work(pickled: bytes, news: Connection, stopping: Event) -> None:
    """Load a share; what happens meanwhile goes to the process that asked for it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda _number, _frame: stopping.set())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    share: _Share = pickle.loads(pickled)  # noqa: S301 - of the process that began this one
    modules = {module.table.name: module for module in in_load_order()}
    deployment = Deployment(
        config=share.config,
        modules=modules,
        progress=news.send,
        stopping=stopping,
        clock=share.clock,
    )

    def began(organization_id: str, tables: int, days: int) -> None:
        news.send((organization_id, tables, days))

    runner = Runner(deployment, open_instance(share.config.dagster_home), began=began)
    news.send(beside_signals(partial(runner.run, Plan(_steps(share.steps)))))


def _end_with_parent() -> None:
    """A run that nobody waits for any more ends, as that of a killed command does."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGKILL)
