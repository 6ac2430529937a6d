"""How the tasks of a stage run on the cores of a cluster, undisturbed or with a trouble.

Tasks take cores in the order of time; what they measure is drawn around the stage's shape.
"""

import heapq
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from overwatch_assets.demo.queries import StageShape
from overwatch_assets.demo.world import Ending, Executor, Task, TaskMetrics

MAX_FAILURES = 4
"""Failures of one partition after which Spark gives the stage up."""

SPILLING = 0.5
"""Share of the ordinary tasks of a spilling stage that spill."""

NO_METRICS = TaskMetrics(*[0] * len(fields(TaskMetrics)))


class Slots:
    """The cores of all executors, and when each is free."""

    def __init__(self) -> None:
        """Start without any executor."""
        self._free: list[tuple[int, int, Executor]] = []
        self._order = 0

    def add(self, executor: Executor) -> None:
        """Offer an executor's cores from the moment it was added."""
        for _ in range(executor.cores):
            self.give_back(executor, executor.added_ms)

    def give_back(self, executor: Executor, free_at: int) -> None:
        """Offer one core again."""
        self._order += 1
        heapq.heappush(self._free, (free_at, self._order, executor))

    def next_free(self, not_before: int) -> int:
        """When a task could be launched."""
        while _is_gone(self._free[0], not_before):
            heapq.heappop(self._free)
        return max(self._free[0][0], not_before)

    def take(self, not_before: int, other_than: Executor | None = None) -> tuple[Executor, int]:
        """Take the core that is free first, on another executor where there is one."""
        passed: list[tuple[int, int, Executor]] = []
        while self._free:
            slot = heapq.heappop(self._free)
            if _is_gone(slot, not_before):
                continue
            passed.append(slot)
            if slot[2] is not other_than:
                break
        free_at, _, executor = passed.pop()
        for slot in passed:
            heapq.heappush(self._free, slot)
        return executor, max(free_at, not_before)

    def busy_until(self, executor: Executor | None = None) -> int:
        """When the last core is free, of one executor or of all."""
        return max(at for at, _, each in self._free if executor is None or each is executor)


def _is_gone(slot: tuple[int, int, Executor], not_before: int) -> bool:
    free_at, _, executor = slot
    return executor.removed_ms is not None and executor.removed_ms <= max(free_at, not_before)


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a stage attempt's partitions.

    Attributes:
        ended_ms: When the scheduler knew that the attempt was over.
        missing: Partitions it leaves undone.
    """

    tasks: tuple[Task, ...]
    ended_ms: int
    missing: tuple[int, ...] = ()


class TaskRunner:
    """Runs tasks, numbering them through the life of a Spark context."""

    def __init__(self, rng: random.Random, slots: Slots) -> None:
        """Draw from `rng`, run on `slots`."""
        self._rng = rng
        self._slots = slots
        self._next_id = 0

    def complete(self, shape: StageShape, partitions: Sequence[int], at_ms: int) -> Ran:
        """Run every partition; one whose executor is lost runs again."""
        return self._within(shape, partitions, at_ms, None)

    def retried(self, shape: StageShape, partitions: Sequence[int], at_ms: int) -> Ran:
        """One partition fails once and succeeds at its second attempt."""
        victim, *others = partitions
        failed = self._attempt(shape, victim, 0, at_ms, ending=Ending.EXCEPTION, pace=0.4)
        again = self._attempt(shape, victim, 1, _end(failed) + 4)
        rest = self._within(shape, others, at_ms, None)
        return Ran((failed, again, *rest.tasks), max(_end(again), rest.ended_ms))

    def failing(self, shape: StageShape, partitions: Sequence[int], at_ms: int) -> Ran:
        """One partition fails as often as Spark allows; what still runs then is killed."""
        victim, *others = partitions
        failures: list[Task] = []
        clock = at_ms
        for attempt in range(MAX_FAILURES):
            failed = self._attempt(
                shape, victim, attempt, clock, ending=Ending.EXCEPTION, pace=0.25
            )
            failures.append(failed)
            clock = _end(failed) + 4
        ended_ms = _end(failures[-1])
        rest = self._within(shape, others, at_ms, ended_ms)
        killed = self._killed(rest.tasks, ended_ms, "Stage cancelled")
        return Ran((*failures, *killed), ended_ms, (victim, *rest.missing))

    def cancelled(self, shape: StageShape, partitions: Sequence[int], at_ms: int) -> Ran:
        """The user cancels while the first tasks run."""
        ended_ms = at_ms + round(1.3 * shape.run_ms)
        begun = self._within(shape, partitions, at_ms, ended_ms)
        killed = self._killed(begun.tasks, ended_ms, "Stage cancelled")
        return Ran(killed, ended_ms, begun.missing)

    def straggling(self, shape: StageShape, partitions: Sequence[int], at_ms: int) -> Ran:
        """One task is slow; a speculative copy overtakes it and it is killed."""
        victim, *others = partitions
        executor, launched = self._slots.take(at_ms)
        rest = self._within(shape, others, at_ms, None)
        noticed = max(launched + 3 * shape.run_ms, rest.ended_ms)
        copy = self._attempt(
            shape, victim, 1, noticed, other_than=executor, pace=0.8, is_speculative=True
        )
        killed_ms = _end(copy) + self._rng.randrange(20, 120)
        self._slots.give_back(executor, killed_ms)
        original = Task(
            task_id=self._new_id(),
            index=victim,
            attempt=0,
            executor=executor,
            launched_ms=launched,
            finished_ms=killed_ms,
            ending=Ending.KILLED,
            metrics=replace(NO_METRICS, run_ms=killed_ms - launched),
            kill_reason="another attempt succeeded",
        )
        return Ran((original, *rest.tasks, copy), max(_end(copy), rest.ended_ms))

    def fetch_failing(self, shape: StageShape, partitions: Sequence[int], at_ms: int) -> Ran:
        """One task can't fetch what a lost executor had written; no more tasks are launched."""
        victim, *others = partitions
        failed = self._attempt(shape, victim, 0, at_ms, ending=Ending.FETCH_FAILED, pace=0.3)
        rest = self._within(shape, others, at_ms, _end(failed))
        return Ran((failed, *rest.tasks), _end(failed), (victim, *rest.missing))

    def _within(
        self, shape: StageShape, partitions: Sequence[int], at_ms: int, launch_before: int | None
    ) -> Ran:
        largest = self._rng.choice(partitions) if partitions else 0
        waiting = deque((index, 0, at_ms) for index in partitions)
        tasks: list[Task] = []
        missing: list[int] = []
        while waiting:
            index, attempt, not_before = waiting.popleft()
            if launch_before is not None and self._slots.next_free(not_before) >= launch_before:
                missing.append(index)
                continue
            pace = shape.skew if index == largest else 1.0
            task = self._attempt(shape, index, attempt, not_before, pace=pace)
            tasks.append(task)
            if task.ending is Ending.EXECUTOR_LOST:
                waiting.append((index, attempt + 1, _end(task) + 5))
        ended_ms = max((_end(task) for task in tasks), default=at_ms)
        return Ran(tuple(tasks), ended_ms, tuple(missing))

    def _attempt(
        self,
        shape: StageShape,
        index: int,
        attempt: int,
        not_before: int,
        *,
        ending: Ending = Ending.SUCCESS,
        pace: float = 1.0,
        other_than: Executor | None = None,
        is_speculative: bool = False,
    ) -> Task:
        executor, launched = self._slots.take(not_before, other_than)
        run_ms = max(3, round(shape.run_ms * pace * self._rng.lognormvariate(0, 0.3)))
        deserialize_ms = self._rng.randrange(2, 40)
        finished = launched + deserialize_ms + run_ms + self._rng.randrange(0, 6)
        metrics: TaskMetrics | None = None
        if executor.removed_ms is not None and executor.removed_ms <= finished:
            finished, ending = executor.removed_ms, Ending.EXECUTOR_LOST
        else:
            self._slots.give_back(executor, finished)
            metrics = self._metrics(shape, run_ms, deserialize_ms, pace, ending)
        return Task(
            task_id=self._new_id(),
            index=index,
            attempt=attempt,
            executor=executor,
            launched_ms=launched,
            finished_ms=finished,
            ending=ending,
            metrics=metrics,
            is_speculative=is_speculative,
        )

    def _metrics(
        self, shape: StageShape, run_ms: int, deserialize_ms: int, pace: float, ending: Ending
    ) -> TaskMetrics:
        rng = self._rng
        gc_ms = round(run_ms * rng.uniform(0, 0.06))
        if ending is not Ending.SUCCESS:
            return replace(NO_METRICS, run_ms=run_ms, gc_ms=gc_ms)

        def around(figure: int) -> int:
            return round(figure * pace * rng.uniform(0.8, 1.2))

        read = around(shape.shuffle_read)
        local = round(read * rng.uniform(0.2, 0.5))
        written = around(shape.shuffle_write)
        spilled = around(shape.spill) if pace > 1 or rng.random() < SPILLING else 0
        input_bytes, output_bytes = around(shape.input_bytes), around(shape.output_bytes)
        return TaskMetrics(
            run_ms=run_ms,
            cpu_ns=round(run_ms * 1e6 * rng.uniform(0.55, 0.95)),
            deserialize_ms=deserialize_ms,
            gc_ms=gc_ms,
            result_size=rng.randrange(1900, 5200),
            peak_memory=around(16 << 20) if read or written else 0,
            memory_spilled=spilled,
            disk_spilled=spilled // 4,
            input_bytes=input_bytes,
            input_records=input_bytes // 190,
            output_bytes=output_bytes,
            output_records=output_bytes // 150,
            remote_bytes_read=read - local,
            local_bytes_read=local,
            fetch_wait_ms=rng.randrange(0, 1 + run_ms // 20) if read else 0,
            shuffle_records_read=read // 60,
            shuffle_bytes_written=written,
            shuffle_records_written=written // 60 + 1 if written else 0,
            shuffle_write_ns=written * 9,
        )

    def _killed(self, tasks: Sequence[Task], at_ms: int, reason: str) -> tuple[Task, ...]:
        return tuple(
            task if _end(task) <= at_ms else self._kill(task, at_ms, reason) for task in tasks
        )

    def _kill(self, task: Task, at_ms: int, reason: str) -> Task:
        finished = min(_end(task), at_ms + self._rng.randrange(3, 60))
        return replace(
            task,
            finished_ms=finished,
            ending=Ending.KILLED,
            kill_reason=reason,
            metrics=replace(NO_METRICS, run_ms=finished - task.launched_ms),
        )

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1


def _end(task: Task) -> int:
    if task.finished_ms is None:
        unfinished = f"task {task.task_id} has not ended"
        raise ValueError(unfinished)
    return task.finished_ms
