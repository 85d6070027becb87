"""The folders of a sweep's runs: the run that sweep.json names stays until it names the next one.

A run has two names that it may have, such as `1-25W` and `1-25W-2`. A sweep that replaces another
measures into the one that is free, and sweep.json goes over to it in one rename. However a sweep is
ended, what sweep.json tells is therefore wholly of the old sweep or wholly of the new one.
"""

import re
from contextlib import suppress
from pathlib import Path

from edgesr.bench.run_folder import remove_run
from edgesr.errors import DataError
from edgesr.sweep.board_modes import BoardMode
from edgesr.sweep.record import read_sweep


def free_name(folder: Path, mode: BoardMode) -> str:
    """Return the name for the next run of a mode.

    Args:
        folder: of the sweep.
        mode: which is measured next.
    """
    first, second = _names(mode)
    with suppress(DataError):  # there is none yet, or it names nothing that could be read
        if any(one.folder == first for one in read_sweep(folder).modes):
            return second
    return first


def remove_replaced(folder: Path, mode: BoardMode, name: str) -> None:
    """Remove the run that one took the place of.

    Args:
        folder: of the sweep.
        mode: which was measured.
        name: of the run that sweep.json names now.
    """
    for other in _names(mode):
        if other != name and (folder / other).is_dir():
            remove_run(folder / other)


def _names(mode: BoardMode) -> tuple[str, str]:
    name = f"{mode.id}-{re.sub(r'[^A-Za-z0-9_.-]', '-', mode.name)}"
    return name, f"{name}-2"
