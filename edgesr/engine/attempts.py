"""What to try when a small board runs out of memory: less workspace, then a lower level."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from edgesr.artifacts.engine_manifest import Attempt
from edgesr.boards.board import Board
from edgesr.errors import EngineError

Result = TypeVar("Result")

# What TensorRT, its compiler and the Jetson allocator say when memory is short. `Could not find any
# implementation` is what is left of it when every tactic of a layer was skipped for that reason.
_SIGNS = (
    "out of memory",
    "outofmemory",
    "insufficient memory",
    "memory is insufficient",
    "insufficient workspace",
    "bad_alloc",
    "nvmapmemalloc",
    "cudaerrormemoryallocation",
    "could not find any implementation",
)


class OutOfMemoryError(Exception):
    """A build failed for want of memory; a smaller one may succeed."""


def is_out_of_memory(text: str) -> bool:
    """Return whether a line of TensorRT's log says that memory was short."""
    folded = text.lower()
    return any(sign in folded for sign in _SIGNS)


def ladder(board: Board) -> Iterator[tuple[int, int]]:
    """Yield (workspace MiB, optimisation level): every workspace, then every lower level."""
    for workspace_mib in board.workspace_mib:
        yield workspace_mib, board.optimization_levels[0]
    for level in board.optimization_levels[1:]:
        yield board.workspace_mib[-1], level


def build_within_memory(
    board: Board,
    build_once: Callable[[int, int], Result],
    on_retry: Callable[[str], None],
) -> tuple[Result, tuple[Attempt, ...]]:
    """Call `build_once` down the board's ladder until it does not run out of memory.

    Args:
        board: gives the ladder.
        build_once: (workspace MiB, optimisation level) -> result; raises OutOfMemoryError.
        on_retry: told in one line what failed, before the next try.

    Returns:
        The result, and every attempt; the last one succeeded.

    Raises:
        EngineError: the smallest try failed too.
    """
    attempts: list[Attempt] = []
    for workspace_mib, level in ladder(board):
        try:
            result = build_once(workspace_mib, level)
        except OutOfMemoryError as error:
            attempts.append(Attempt(workspace_mib, level, f"out of memory: {error}"))
            on_retry(
                f"out of memory with {workspace_mib} MiB of workspace at level {level}; "
                "trying with less"
            )
            continue
        return result, (*attempts, Attempt(workspace_mib, level, "built"))
    raise EngineError(
        f"out of memory {len(attempts)} times, the last with {attempts[-1].workspace_mib} MiB of "
        f"workspace at level {attempts[-1].optimization_level}",
        where=board.title,
        fix="sudo systemctl isolate multi-user.target  (frees the desktop's memory), then again; "
        "after a crash, reboot first",
    )
