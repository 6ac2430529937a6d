"""Work that signals do not break into."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

Result = TypeVar("Result")

LONGEST_WAIT_S = 0.2
"""How long a signal may wait for its handler."""


def beside_signals(work: Callable[[], Result]) -> Result:
    """Do work in a thread, while this one takes the signals.

    In the main thread Dagster would take them, and raise an exception in the midst of whatever
    a step is doing.

    Raises:
        BaseException: What the work raised; or what a signal's handler did, and then the work
            ends with the process.
    """
    done: Future[Result] = Future()

    def body() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised where the work is waited for
            done.set_exception(error)

    threading.Thread(target=body, daemon=True).start()
    # A signal that another thread receives doesn't end a wait, so none is long.
    while not wait([done], LONGEST_WAIT_S).done:
        pass
    return done.result()
