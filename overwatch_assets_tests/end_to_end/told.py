"""What telemetry tells of the made-up company's compute, where it cannot tell the truth.

The simulation names each gap (`ledger.Gap`). Here the documented rules are applied to what is
left, in plain Python on the simulation's own objects:

- What a cluster did is not known of the days after which the API knew it no longer: forgotten 30
  days after it terminated, or permanently deleted.
- A cluster is known from its first event on. Where it is not a switch, it is up if the event is
  one of a cluster that is up.
- A start of a cluster that is up reveals that it had stopped after the last sign of life: an
  event, a start or an end of a run.
- A job cluster without a sign for 24 hours and without an open run ended at the last sign.
- A cluster older than the first day was what the first capture shows, up to its first edit.
- A run that began before the first day has no start and no cluster. One whose end is lost ends
  with its job's run once an hour has passed since; else it goes on.

What follows from this, states, costs and shares, is computed like the truth itself.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from overwatch_assets.demo.api_compute import ComputeApi
from overwatch_assets.demo.cluster_life import ClusterLife, Phase, Version
from overwatch_assets.demo.job_runs import JobRun, TaskRun
from overwatch_assets.demo.ledger import Ledger, WorkspaceCompute
from overwatch_assets.demo.scene import DAY_MS, HOUR_MS, SECOND_MS
from overwatch_assets.demo.world import WorkspaceWorld, World

SWITCHED_ON = ("CREATING", "STARTING")
SHOWS_UP = (
    "INIT_SCRIPTS_STARTED",
    "RUNNING",
    "RESIZING",
    "UPSIZE_COMPLETED",
    "DRIVER_HEALTHY",
)


@dataclass(frozen=True, slots=True)
class Span:
    """The days that are looked at, and when one looks.

    Attributes:
        asked_ms: When the API is asked for what is not asked every morning: for the last day.
        every_morning: Each day is asked for on the next morning.
    """

    since_ms: int
    until_ms: int
    asked_ms: int
    every_morning: bool = False

    def asked_of(self, at_ms: int) -> int:
        """When the API is asked for the day of an instant."""
        days_before = (self.until_ms - 1 - at_ms) // DAY_MS if self.every_morning else 0
        return self.asked_ms - days_before * DAY_MS

    @property
    def first_asked_ms(self) -> int:
        """When the first capture is taken."""
        return self.asked_of(self.since_ms)


def told_compute(world: World, workspace: WorkspaceWorld, span: Span) -> WorkspaceCompute:
    """The workspace's compute as it can be known."""
    compute, api = workspace.compute, ComputeApi(world, workspace)
    runs = [told_run(run, span) for run in compute.runs() if run.submitted_ms < span.until_ms]
    signs: dict[str, list[TaskRun]] = defaultdict(list)
    for task in (task for run in runs for task in run.tasks):
        if task.cluster_id is not None and task.started_ms is not None:
            signs[task.cluster_id].append(task)

    @cache
    def is_known(cluster_id: str, asked_ms: int) -> bool:
        return api.cluster(cluster_id, asked_ms) is not None

    lives = [
        told_life(life, signs.get(life.cluster_id, ()), span, is_known) for life in compute.lives()
    ]
    told = Ledger(all_jobs=list(compute.jobs()), all_lives=lives, all_runs=runs)
    return replace(compute, parts=(told,))


def told_run(run: JobRun, span: Span) -> JobRun:
    """A job's run with the starts and ends of its tasks that can be known."""
    return replace(run, tasks=tuple(_told_task(task, run, span) for task in run.tasks))


def _told_task(task: TaskRun, run: JobRun, span: Span) -> TaskRun:
    started_ms = task.started_ms
    if started_ms is not None and started_ms < span.since_ms:
        return replace(task, started_ms=None, cluster_id=None)
    if task.is_end_told or task.ended_ms is None or started_ms is None:
        return task
    ends = run.ends if run.has_echo else ()
    after = [end for end in ends if end.at_ms >= started_ms]
    if after and after[0].at_ms + HOUR_MS < span.until_ms:
        return replace(task, ended_ms=after[0].at_ms, ending=after[0].ending)
    return replace(task, ended_ms=None, ending=None)


def told_life(
    life: ClusterLife,
    runs: Sequence[TaskRun],
    span: Span,
    is_known: Callable[[str, int], bool],
) -> ClusterLife:
    """A cluster's life as its events and the runs on it show it."""
    told = [
        phase
        for phase in life.phases
        if phase.is_told
        and span.since_ms <= phase.since_ms < span.until_ms
        and is_known(life.cluster_id, span.asked_of(phase.since_ms))
    ]
    phases = list(_told_phases(life, told, runs, span))
    return replace(life, phases=phases, versions=_told_versions(life, span))


def _told_versions(life: ClusterLife, span: Span) -> list[Version]:
    """What it was; of a resize only the size changes, which costs take from the events."""
    if life.created_ms >= span.since_ms:
        return life.versions
    edits = [event.at_ms for event in life.events if event.type == "EDITED"]
    edited = [
        version
        for version in life.versions
        if version.at_ms >= span.since_ms
        and any(0 <= at_ms - version.at_ms < SECOND_MS for at_ms in edits)
    ]
    return [Version(life.created_ms, life.spec_at(span.first_asked_ms - 1)), *edited]


def _told_phases(
    life: ClusterLife, told: Sequence[Phase], runs: Sequence[TaskRun], span: Span
) -> Iterator[Phase]:
    """The phases that are told, and the stops that nothing tells."""
    is_up: bool | None = None
    for phase, following in zip(told, [*told[1:], None], strict=False):
        end_ms = span.until_ms if following is None else following.since_ms
        is_up = _is_up(phase, is_up)
        yield phase if is_up == phase.is_running else _powered(phase, is_up=is_up)
        if not is_up:
            continue
        signs = [phase.since_ms, *_signs(runs, phase.since_ms, end_ms)]
        silent_ms = _silent_since(life, runs, signs, end_ms)
        if silent_ms is not None:
            yield _stopped(phase, silent_ms, "TERMINATING_IMPUTED")
            is_up = None
        elif following is not None and following.state in SWITCHED_ON:
            yield _stopped(phase, signs[-1], "TERMINATING")
            is_up = False


def _is_up(phase: Phase, was_up: bool | None) -> bool:  # noqa: FBT001 - None: not known
    if phase.state in SWITCHED_ON:
        return True
    if phase.state == "TERMINATING":
        return False
    return phase.state in SHOWS_UP if was_up is None else was_up


def _powered(phase: Phase, *, is_up: bool) -> Phase:
    if is_up:
        return replace(phase, is_running=True)
    return replace(phase, is_running=False, current=0, target=0)


def _stopped(phase: Phase, sign_ms: int, state: str) -> Phase:
    """The stop that nothing tells, right after the last sign of life in a phase."""
    return replace(
        phase,
        since_ms=max(phase.since_ms + 1, sign_ms),
        state=state,
        current=0,
        target=0,
        is_running=False,
        is_told=False,
    )


def _signs(runs: Iterable[TaskRun], since_ms: int, until_ms: int) -> list[int]:
    found = {at_ms for run in runs for at_ms in (run.started_ms, run.ended_ms) if at_ms is not None}
    return sorted(at_ms for at_ms in found if since_ms <= at_ms < until_ms)


def _silent_since(
    life: ClusterLife, runs: Sequence[TaskRun], signs: Sequence[int], end_ms: int
) -> int | None:
    """The last sign of a job cluster before a day without one, in which no run was open."""
    if life.spec.source != "JOB":
        return None
    for sign_ms, next_ms in zip(signs, [*signs[1:], end_ms], strict=True):
        due_ms = sign_ms + DAY_MS
        if due_ms < next_ms and not any(_is_open(run, due_ms) for run in runs):
            return sign_ms
    return None


def _is_open(run: TaskRun, at_ms: int) -> bool:
    has_begun = run.started_ms is not None and run.started_ms <= at_ms
    return has_begun and (run.ended_ms is None or run.ended_ms > at_ms)
