"""Large logs in a process each, small ones here meanwhile.

Nothing is imported here that takes long: a process sets its number of threads before it
imports Polars.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


def in_processes(
    function: Callable[[Task], Result], large: Sequence[Task], small: Sequence[Task], workers: int
) -> Iterator[Result]:
    """Call a module's function for every task.

    Args:
        function: Of a module that another process can import.
        large: Worth a process each, the largest first.
        small: Not worth it.
        workers: How many processes; 1: none but this one.
    """
    count = min(workers, len(large))
    if count <= 1:
        yield from map(function, [*large, *small])
        return
    with ProcessPoolExecutor(count, get_context("spawn"), _use_one_thread) as pool:
        running = [pool.submit(function, task) for task in large]
        yield from map(function, small)
        for future in running:
            yield future.result()


def _use_one_thread() -> None:
    os.environ["POLARS_MAX_THREADS"] = "1"
