"""How long a piece of work takes."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """Return what a piece of work gives and the milliseconds that it took."""
    start = time.perf_counter()
    result = work()
    return result, round(1e3 * (time.perf_counter() - start), 3)
