"""Ctrl-C and termination as a question that long work asks, so that it can end cleanly."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def stop_on_signals() -> Iterator[Callable[[], bool]]:
    """Yield what tells whether Ctrl-C or SIGTERM came; a second one ends the process as ever."""
    asked: list[int] = []

    def ask(number: int, _frame: object) -> None:
        signal.signal(number, before[signal.Signals(number)])
        asked.append(number)

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, ask) for number in numbers}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
