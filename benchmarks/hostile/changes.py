"""Every change of the file system that a command makes, numbered, with something done before one.

Counted are, below one folder: files opened for writing, the second half of every write (so that
half-written files come up as well), renames, removals, links, new and removed folders.
"""

import builtins
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

COUNTED_WRITES = 3  # of each file: a plot is written in thousands of small pieces
TAKES_SPACE = ("open ", "second half of ", "os.mkdir ")
"""How the changes begin that need room on the disk."""

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_PATHS = {"os.rename": 2, "os.link": 2, "os.symlink": 2}
_PATHS |= dict.fromkeys(("os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.chmod"), 1)
"""Audit event -> how many of its first arguments are paths (Python's table of audit events)."""


class Counter:
    """Counts changes below a folder and strikes before one of them.

    Args:
        at: number of the change, from 1; 0: none.
        folder: where changes count.
        strike: called before that change is made.
    """

    def __init__(self, at: int, folder: Path, strike: Callable[[], None]) -> None:
        self._at, self._root, self._strike = at, str(folder.resolve()) + os.sep, strike
        self.changes: list[str] = []

    def install(self, stdout: bool = False) -> None:
        """Count from now on, until this process ends.

        Args:
            stdout: standard output is a file below the folder, so what goes there counts too.
        """
        sys.addaudithook(self._audit)
        io.open = builtins.open = self._open
        if stdout:
            counted = io.BufferedWriter(_CountedStdout(self))
            sys.stdout = io.TextIOWrapper(counted, encoding="utf-8")

    def change(self, what: str, path: object) -> None:
        """Count a change that is about to happen."""
        self.changes.append(f"{what} {Path(str(path)).name}")
        if len(self.changes) == self._at:
            self._strike()

    def _concerns(self, path: object) -> bool:
        """Tell whether a path lies below the folder."""
        if not isinstance(path, str | bytes | os.PathLike):
            return False
        return os.path.abspath(os.fsdecode(path)).startswith(self._root)  # noqa: PTH100

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Count what Python's audit hooks report."""
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITES and self._concerns(path):
                self.change("open", path)
            return
        paths = [path for path in arguments[: _PATHS.get(event, 0)] if self._concerns(path)]
        if paths:
            self.change(event, paths[-1])

    def _open(self, file: Any, *arguments: Any, **named: Any) -> Any:
        """Stand in for the built-in `open`: writes below the folder go out in two halves."""
        opened = _OPEN(file, *arguments, **named)
        return _Halves(opened, file, self) if opened.writable() and self._concerns(file) else opened


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


class _CountedStdout(io.FileIO):
    """Standard output that goes to a file below the folder: every write is a change."""

    def __init__(self, counter: Counter) -> None:
        super().__init__(sys.stdout.fileno(), "w", closefd=False)
        self._counter = counter

    def write(self, data: Any) -> int:
        """Count a change and write."""
        self._counter.change("second half of", "standard output")
        return super().write(data)


_OPEN = io.open
