"""How much memory a process may still take: what the machine has free, and what a container allows.

A container's bound is that of its control group: Linux, Documentation/admin-guide/cgroup-v2.rst
and cgroup-v1/memory.rst. Pages of files that nobody has looked at lately count as taken there, and
are given up when memory is wanted, so they count as free here.
"""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_GROUPS = "sys/fs/cgroup"
_V1 = ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
_V2 = ("", "memory.max", "memory.current", "inactive_file")
"""Folder below /sys/fs/cgroup, files of the bound and of what is taken, and the word for files."""


def available_bytes(root: Path = Path("/")) -> int | None:
    """Return what this process may still take without memory running out.

    Args:
        root: stands for /.

    Returns:
        Bytes; None: the system does not tell.
    """
    free = (machine_available_bytes(root), *_left_in_groups(root))
    return min((bytes_free for bytes_free in free if bytes_free is not None), default=None)


def machine_available_bytes(root: Path = Path("/")) -> int | None:
    """Return what the machine has free, whatever this process may take of it; None: not told."""
    match = re.search(r"^MemAvailable:\s*(\d+) kB", _text(root / "proc/meminfo"), re.MULTILINE)
    return int(match[1]) * 1024 if match else None


def _left_in_groups(root: Path) -> Iterator[int]:
    """Yield what is left in each control group that this process is in, and in those around it."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, name = rest.partition(":")
        if number == "0" and not controllers:
            kind = _V2
        elif "memory" in controllers.split(","):
            kind = _V1
        else:
            continue
        # A container may see its own group as the topmost one, under another name than its own.
        own = PurePosixPath(name.lstrip("/"))
        for group in (own, *own.parents):
            left = _left(root / _GROUPS / kind[0] / group, *kind[1:])
            if left is not None:
                yield left


def _left(group: Path, limit_file: str, taken_file: str, files_word: str) -> int | None:
    limit, taken = _text(group / limit_file).strip(), _text(group / taken_file).strip()
    if not limit.isdecimal() or not taken.isdecimal():  # "max": there is no bound
        return None
    files = re.search(rf"^{files_word} (\d+)$", _text(group / "memory.stat"), re.MULTILINE)
    return max(0, int(limit) - int(taken) + (int(files[1]) if files else 0))


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace")
    except OSError:
        return ""
