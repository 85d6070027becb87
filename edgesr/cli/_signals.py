"""Ctrl-C, SIGTERM and SIGHUP as a question that long work asks, so that it can end cleanly."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def stop_on_signals() -> Iterator[Callable[[], bool]]:
    """Yield what tells whether Ctrl-C, SIGTERM or SIGHUP came; a second one ends it as ever.

    SIGHUP, which comes when a terminal or a connection to a board is closed, stays ignored under
    nohup.
    """
    asked: list[int] = []

    def ask(number: int, _frame: object) -> None:
        signal.signal(number, before[signal.Signals(number)])
        asked.append(number)

    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}  # whole before any comes
    try:
        for number in numbers:
            signal.signal(number, ask)
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
