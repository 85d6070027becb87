"""Make this process root on a board made of files."""

import functools
import os
from pathlib import Path

import edgesr.sweep.sweep as module


def be_root_on(table: Path, kept: Path) -> None:
    """Let every sweep of this process take its modes from `table` and keep its notes in `kept`."""
    module.sweep = functools.partial(module.sweep, places=module.Places(table, kept))
    os.geteuid = lambda: 0
