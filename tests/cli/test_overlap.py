"""Pictures that are under way when nobody waits for them any more."""

import threading

from edgesr.cli._overlap import overlapped

LONG_S = 60.0


def test_what_begins_after_all_was_stopped_is_stopped_too() -> None:
    """As a picture that is still read at the second Ctrl-C, and whose network runs only then."""
    begun, stopped = threading.Event(), threading.Event()
    ends: list[bool] = []

    def work(number: int) -> int:
        if number == 0:
            return number
        begun.set()
        stopped.wait(LONG_S)
        stopped.clear()
        ends.append(stopped.wait(LONG_S))
        return number

    run = overlapped([0, 1], work, 2, lambda: False, stopped.set)
    assert next(run) == (0, 0)
    assert begun.wait(LONG_S)  # what has not begun is never called
    run.close()
    assert ends == [True]
