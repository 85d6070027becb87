"""A Jetson's power modes where there is no Jetson: the programs of a sweep's tests stand in.

The board is one, however many copies of a scenario's files there are, so its modes and clocks lie
beside them; a file in each copy says where. What edgesr itself keeps of the board lies in the copy.
"""

import os
import sys
import time
from pathlib import Path

from benchmarks.shared.folders import ROOT

WHERE, KEPT = "board.txt", "kept"
_PATIENCE_S, _LOOK_S = 60.0, 0.02


def make_board(folder: Path) -> None:
    """Make a board beside a folder, once for all folders there, and say in the folder where."""
    from sweep_board import Board  # type: ignore[import-not-found]

    place = folder.parent / "board"
    if not place.exists():
        place.mkdir()
        Board(place)
    (folder / WHERE).write_text(str(place))


def install(folder: Path) -> None:
    """Make the current process one on that board, where its user is root."""
    from be_root_on import be_root_on  # type: ignore[import-not-found]
    from sweep_board import Board

    board = Board(Path((folder / WHERE).read_text()))
    os.environ |= board.environment
    be_root_on(Path(board.environment["TABLE"]), folder / KEPT)


def as_it_was(folder: Path) -> bool:
    """Wait until nothing is to be put back on the board; tell whether it stands as at first."""
    from sweep_board import AS_IT_WAS, Board

    deadline = time.monotonic() + _PATIENCE_S
    while (folder / KEPT / "mode").exists() and time.monotonic() < deadline:
        time.sleep(_LOOK_S)
    return bool(Board(Path((folder / WHERE).read_text())).stands == AS_IT_WAS)


sys.path += [str(ROOT / "tests"), str(ROOT / "tests/sweep")]
