import os
import signal
import threading

import pytest

from overwatch_assets.operations.beside_signals import beside_signals


def test_a_signal_is_handled_while_the_work_goes_on() -> None:
    handled = threading.Event()
    before = signal.signal(signal.SIGUSR1, lambda _number, _frame: handled.set())

    def work() -> bool:
        os.kill(os.getpid(), signal.SIGUSR1)
        return handled.wait(30)

    try:
        assert beside_signals(work)
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_what_the_work_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        beside_signals(lambda: 1 // 0)
