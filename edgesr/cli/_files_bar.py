"""One bar for all files of a run: `3 of 120`, and the time that is left."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from edgesr.cli._console import printable, progress

OnTile = Callable[[int, int], None]
BarOf = Callable[[Path], OnTile]


@contextmanager
def files_bar(files: int) -> Iterator[BarOf]:
    """Show a bar on standard error while the block runs, if that is a terminal.

    A single file is shown by its tiles; of several, each counts by the share of its tiles that is
    done, so that the time left is known long before the first one is.

    Yields:
        What returns for a file that which is to be called with the tiles that are done, and all.
        It may be called from several threads.
    """
    if files == 1:
        with progress("", None) as advance:
            yield lambda path: lambda done, tiles: advance(total=tiles, label=path.name)
        return
    if not sys.stderr.isatty():
        yield lambda path: lambda done, tiles: None
        return
    from rich.console import Console  # noqa: I001  (rich costs start-up time, so only here)
    from rich.progress import BarColumn, Progress, TextColumn
    from rich.progress import TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.fields[whole]} of {task.total}", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
    )
    console, lock = Console(stderr=True), threading.Lock()
    # Standard output belongs to whoever reads it, unless it is the same terminal.
    shares_terminal = sys.stdout.isatty()
    with Progress(*columns, console=console, redirect_stdout=shares_terminal) as bar:
        task = bar.add_task("", total=files, whole=0)
        shares: dict[Path, float] = {}
        whole = 0.0

        def bar_of(path: Path) -> OnTile:
            def on_tile(done: int, tiles: int) -> None:
                nonlocal whole
                with lock:
                    whole += done / tiles - shares.get(path, 0.0)
                    shares[path] = done / tiles
                    if done == tiles:
                        shares[path] = 1.0
                    bar.update(
                        task,
                        completed=whole,
                        whole=int(whole + 1e-6),
                        description=printable(path.name),
                    )

            return on_tile

        yield bar_of
