"""A command that ends itself by SIGKILL before its n-th change of the file system.

    python benchmarks/hostile/killed.py N FOLDER COMMAND...

runs `edgesr COMMAND...`. Changes are counted below FOLDER: files opened for writing, the second
half of every write (so that half-written files come up as well), renames, removals, new folders.
With N = 0 nothing is killed, and the changes are printed to standard error, one a line.
"""

import builtins
import io
import os
import signal
import sys
from pathlib import Path
from typing import Any

PREFIX = "change: "
COUNTED_WRITES = 3  # of each file: a plot is written in thousands of small pieces
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_PATHS = {"os.rename": 2, "os.link": 2, "os.symlink": 2}
_PATHS |= dict.fromkeys(("os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.chmod"), 1)
"""Audit event -> how many of its first arguments are paths (Python's table of audit events)."""


class Counter:
    """Counts changes below a folder and kills this process before one of them.

    Args:
        stop_at: number of the change, from 1; 0: none.
        folder: where changes count.
    """

    def __init__(self, stop_at: int, folder: Path) -> None:
        self._stop_at, self._root = stop_at, str(folder.resolve()) + os.sep
        self.changes: list[str] = []

    def concerns(self, path: object) -> bool:
        """Tell whether a path lies below the folder."""
        if not isinstance(path, str | bytes | os.PathLike):
            return False
        return os.path.abspath(os.fsdecode(path)).startswith(self._root)  # noqa: PTH100

    def change(self, what: str, path: object) -> None:
        """Count a change that is about to happen."""
        self.changes.append(f"{what} {Path(str(path)).name}")
        if len(self.changes) == self._stop_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Count what Python's audit hooks report."""
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITES and self.concerns(path):
                self.change("open", path)
            return
        paths = [path for path in arguments[: _PATHS.get(event, 0)] if self.concerns(path)]
        if paths:
            self.change(event, paths[-1])

    def open(self, file: Any, *arguments: Any, **named: Any) -> Any:
        """Stand in for the built-in `open`: writes below the folder go out in two halves."""
        opened = _OPEN(file, *arguments, **named)
        return _Halves(opened, file, self) if opened.writable() and self.concerns(file) else opened


class _Halves:
    """A file whose every write is two; all else is the file's own."""

    def __init__(self, file: Any, path: Any, counter: Counter) -> None:
        self._file, self._path, self._counter = file, path, counter
        self._writes = 0

    def write(self, data: Any) -> int:
        """Write one half to the disk, count a change, write the other."""
        self._writes += 1
        if self._writes > COUNTED_WRITES:
            self._file.write(data)
            return len(data)
        whole = data if isinstance(data, str) else memoryview(data).cast("B")
        middle = len(whole) // 2
        self._file.write(whole[:middle])
        self._file.flush()
        self._counter.change("second half of", self._path)
        self._file.write(whole[middle:])
        return len(whole)

    def __enter__(self) -> "_Halves":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


_OPEN = io.open


def main() -> None:
    """Run one command and count."""
    stop_at, folder, *command = sys.argv[1:]
    from edgesr.cli import main as edgesr

    counter = Counter(int(stop_at), Path(folder))
    sys.addaudithook(counter.audit)
    io.open = builtins.open = counter.open  # type: ignore[assignment]
    try:
        edgesr(command)
    finally:
        if stop_at == "0":
            for change in counter.changes:
                print(PREFIX + change, file=sys.stderr)


if __name__ == "__main__":
    main()
