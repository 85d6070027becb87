"""Several jobs at the same time, so that one is read or written while another one is run.

A network keeps all cores busy only while its tiles run. Decoding, blending and encoding take one
core each; with two pictures under way they take what the other's tiles leave.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from edgesr.errors import EdgesrError, ImageError

Task = TypeVar("Task")
Result = TypeVar("Result")

AT_ONCE = 2
"""Pictures that are under way: a third one makes nothing faster, and takes memory."""

_ABANDON_S = 0.05


class StoppedError(Exception):
    """The run was asked to end."""


def overlapped(
    tasks: Sequence[Task],
    work: Callable[[Task], Result],
    at_once: int,
    wants_stop: Callable[[], bool],
    abandon: Callable[[], None],
) -> Iterator[tuple[Task, Result | EdgesrError | None]]:
    """Do tasks and yield each with its outcome, in the order given.

    Args:
        tasks: what to do.
        work: does one; raises `StoppedError` when it finds that the run is to end.
        at_once: tasks that are under way at the same time, at most.
        wants_stop: tells whether the run is to end; nothing more is begun then.
        abandon: stops what runs where nobody waits for its outcome any more, as after a second
            Ctrl-C; called until no task is under way, since one may begin its work only then.

    Yields:
        The task, and its result, what went wrong, or None for a task that was not done.
    """

    def attempt(task: Task) -> Result | EdgesrError | None:
        if wants_stop():
            return None
        try:
            return work(task)
        except StoppedError:
            return None
        except EdgesrError as error:
            return error
        except MemoryError:
            return ImageError("not enough memory for its enlargement")

    with ThreadPoolExecutor(at_once) as pool:
        futures: deque[Future[Result | EdgesrError | None]] = deque(
            pool.submit(attempt, task) for task in tasks
        )
        try:
            for task in tasks:
                outcome = futures[0].result()
                futures.popleft()  # what was told is not kept
                yield task, outcome
        except BaseException:
            # In a thread of its own, which one more Ctrl-C does not end.
            threading.Thread(target=_abandon_all, args=(futures, abandon), daemon=True).start()
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _abandon_all(futures: "Collection[Future[Result]]", abandon: Callable[[], None]) -> None:
    while not all(future.done() for future in futures):
        abandon()
        time.sleep(_ABANDON_S)
