"""The part of a clip that is done: encoded segments in a folder beside the result.

A segment is a file of whole frames that need none of another segment's, and is there in full or
not at all. The folder says in `run.json` of what run they are; the segments of any other run are
dropped. So a run that was killed goes on after its last whole segment, and because every segment
is encoded by an encoder of its own, the result is that of an undisturbed run, byte for byte.
The folder is removed when the result is in its place.
"""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edgesr.decode import LIMIT_BYTES, MalformedError, decode_json, read_bounded
from edgesr.errors import ConfigError, EdgesrError
from edgesr.files import write_json

SEGMENT_FRAMES = 48
"""Frames of a segment: two seconds of a film, as far apart as players like to find entries."""

_RUN, _JOINED, _ENDING = "run.json", "joined.json", ".segment"
_DIGITS = 16


def folder_for(output: Path) -> Path:
    """Return the folder of a result's segments; its name is short, however long the result's is."""
    name = hashlib.sha256(os.fsencode(output.name)).hexdigest()[:_DIGITS]
    return output.parent / f".edgesr-clip-{name}"


class Segments:
    """The segments of one run; made by `open_segments`.

    Attributes:
        folder: that holds them.
        done: how many there are, from the first without a gap.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.done = 0
        while self.path(self.done).is_file():
            self.done += 1

    def path(self, number: int) -> Path:
        """Return the path of a segment, counted from 0."""
        return self.folder / f"{number:06d}{_ENDING}"

    def mark_joined(self, result: Path) -> None:
        """Note, before it is renamed to its place, which file the joined result is."""
        write_json(self.folder / _JOINED, _identity(result))


@contextmanager
def open_segments(output: Path, run: dict[str, Any]) -> Iterator[Segments]:
    """Yield the segments of a run, those of an earlier one that was the same among them.

    The folder stays if the block fails, for the next run, and is removed if it succeeds.

    Args:
        output: where the result goes.
        run: all that decides the bytes of the segments, as JSON holds it.

    Raises:
        ConfigError: the folder cannot be made, or another process works on this result.
    """
    folder = folder_for(output)
    try:
        folder.mkdir(exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise ConfigError(f"cannot write here ({error.strerror})", where=output) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError("another edgesr makes this result already", where=output) from None
        except OSError:
            pass  # some network file systems have no locks
        if _read(folder / _RUN) != json.loads(json.dumps(run)):
            _empty(folder)
            write_json(folder / _RUN, run)
        yield Segments(folder)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)


def finish_earlier(output: Path) -> bool:
    """Tell whether an earlier run was ended between its result and its tidying; tidy up for it."""
    folder = folder_for(output)
    joined = _read(folder / _JOINED)
    if joined is None or not output.is_file() or joined != _identity(output):
        return False
    shutil.rmtree(folder, ignore_errors=True)
    return True


def _identity(path: Path) -> dict[str, Any]:
    """Return what a rename keeps of a file and another file does not have."""
    status = path.stat()
    return {
        "inode": status.st_ino,
        "size_bytes": status.st_size,
        "mtime_ns": status.st_mtime_ns,
    }


def _read(path: Path) -> dict[str, Any] | None:
    """Return a JSON object that we wrote, None for anything else."""
    try:
        return decode_json(read_bounded(path, LIMIT_BYTES), dict[str, Any])
    except (OSError, MalformedError):
        return None


def _empty(folder: Path) -> None:
    try:
        for entry in folder.iterdir():
            entry.unlink()
    except OSError as error:
        raise EdgesrError(
            f"segments of an earlier run cannot be removed ({error.strerror})", where=folder
        ) from error
