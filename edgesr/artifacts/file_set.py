"""Files that belong together: all of them appear, or those that stood there stay.

A set is one index file, which names its members by SHA-256, and the members: an ONNX file or an
engine with its manifest, the raw files of a bench with run.json. `write_set` takes three steps:

1. every member is written in full and flushed, beside its place and under a name of its content;
2. the index is replaced, in one rename: this is the moment at which the new set counts;
3. every member is renamed to its place.

Why no reader ever sees a mixture, wherever the writer is killed: before step 2 the old index and
the old members are untouched. After it the index names contents that are all on the disk, in
place or beside it, and `settle`, which every reader calls for every member before it looks at it,
does what is left of step 3. What lies beside is moved only if its content is what the index names,
so a leftover of an earlier writer is never taken; the next writer of the set removes it. Writers
of one folder wait for each other by a lock on the folder, which ends with the process.
"""

import errno
import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path

from edgesr.errors import ConfigError, EdgesrError, shell
from edgesr.files import refuse_folder, sha256, write_text

_SUFFIX = ".new"
_DIGITS = 16  # of the SHA-256, in the name of a member that waits


def write_set(index: Path, text: str, members: Mapping[Path, bytes]) -> None:
    """Write an index and its members, as the module says.

    Args:
        index: the file that names the members' SHA-256.
        text: its content.
        members: content by path; their folders exist.

    Raises:
        EdgesrError: the disk is full or a folder cannot be written; the old set is unchanged.
    """
    waiting = {
        member: _waiting(member, hashlib.sha256(content).hexdigest())
        for member, content in members.items()
    }
    folders = dict.fromkeys((*(member.parent for member in members), index.parent))
    with locked(index.parent):
        try:
            for member, content in members.items():
                _write_waiting(member, waiting[member], content)
            for folder in folders:
                _flush(folder)
            write_text(index, text)
        except BaseException:
            for path in waiting.values():
                path.unlink(missing_ok=True)
            raise
        _flush(index.parent)
        for member, path in waiting.items():
            with suppress(FileNotFoundError):  # a reader was quicker
                path.replace(member)
        for folder in folders:
            _flush(folder)
        for member in members:
            for path in leftovers(member):
                path.unlink(missing_ok=True)


def settle(member: Path, digest: str) -> None:
    """Move a member to its place if a writer was killed after its index and before that.

    Args:
        member: the place.
        digest: SHA-256 that the index names for it.

    Raises:
        EdgesrError: it waits beside its place and cannot be moved there.
    """
    waiting = _waiting(member, digest)
    try:
        if sha256(waiting) == digest:
            waiting.replace(member)
    except FileNotFoundError:
        return  # nothing waits, or another process was quicker
    except OSError as error:
        raise EdgesrError(
            f"a command was killed while it wrote this file; the rest waits in {waiting.name} and "
            f"cannot be moved here ({error.strerror})",
            where=member,
            fix=f"mv {shell(waiting)} {shell(member)}",
        ) from error


def leftovers(member: Path) -> list[Path]:
    """Return what waits beside a member's place, of any writer."""
    return sorted(member.parent.glob(f".{escape(member.name)}.{'?' * _DIGITS}{_SUFFIX}"))


def waiting_members(folder: Path, pattern: str) -> list[Path]:
    """Return the places of members of a folder that wait beside them, by a pattern of their names.

    A listing of `*.engine`, say, misses an engine whose writer was killed before the last step.
    """
    hidden = len(_SUFFIX) + _DIGITS + 1
    waiting = folder.glob(f".{pattern}.{'?' * _DIGITS}{_SUFFIX}")
    return sorted({path.with_name(path.name[1:-hidden]) for path in waiting})


def check_folder(path: Path) -> None:
    """Refuse a file whose folder is missing or read-only, before the work for it begins.

    Raises:
        ConfigError: it is, or the file itself is a folder.
    """
    if not path.parent.is_dir():
        reason = os.strerror(errno.ENOENT)
        raise ConfigError(
            f"cannot write here ({reason})", where=path, fix=f"mkdir -p {shell(path.parent)}"
        )
    if not os.access(path.parent, os.W_OK | os.X_OK):
        reason = os.strerror(errno.EACCES)
        raise ConfigError(f"cannot write here ({reason})", where=path, fix="another folder")
    refuse_folder(path)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock while the block runs; where there are no locks, go without.

    Raises:
        ConfigError: the folder cannot be opened.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise ConfigError(f"cannot write here ({error.strerror})", where=folder) from error
    try:
        with suppress(OSError):  # some network file systems lock no folders
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write_waiting(member: Path, waiting: Path, content: bytes) -> None:
    """Write and flush; half a file is told from a whole one by the SHA-256 in its name."""
    try:
        with waiting.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:  # a user knows the place, not what waits beside it
        raise EdgesrError(f"cannot write ({error.strerror})", where=member) from error


def _waiting(member: Path, digest: str) -> Path:
    return member.with_name(f".{member.name}.{digest[:_DIGITS]}{_SUFFIX}")


def _flush(folder: Path) -> None:
    """Bring the names in a folder to disk, so that a power cut keeps the order of the steps."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # not every file system flushes folders
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
