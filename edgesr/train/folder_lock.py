"""One training at a time in a folder: two would mix their rows, checkpoints and weights."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgesr.errors import ConfigError
from edgesr.files import make_folder

NAME = "training.lock"
_SHOWN = 100  # bytes of the holder's own words


@contextmanager
def sole_training(folder: Path, first: bool = True) -> Iterator[None]:
    """Hold a folder for this process while the block runs; the folder is made if it is missing.

    The system frees the lock when its holder ends, however it ends; a file that a killed process
    left is taken over, and removed at the end.

    Args:
        folder: of the run.
        first: whether this is the process that writes; the others of a run hold nothing.

    Raises:
        ConfigError: another process trains in the folder; the message says which.
    """
    if not first:
        yield
        return
    make_folder(folder)
    path = folder / NAME
    descriptor = _hold(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)  # before the lock goes, so that nobody else's is removed
        os.close(descriptor)


def _hold(path: Path) -> int:
    """Return the open, locked file, which says who holds it.

    Raises:
        ConfigError: another process holds it, or it cannot be made.
    """
    try:
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_at(descriptor, path):
                    os.ftruncate(descriptor, 0)
                    os.pwrite(descriptor, f"{os.getpid()} on {socket.gethostname()}".encode(), 0)
                    return descriptor
            except BlockingIOError:
                holder = os.pread(descriptor, _SHOWN, 0).decode("utf-8", "replace")
                os.close(descriptor)
                raise ConfigError(
                    f"process {holder or 'unknown'} trains in it",
                    where=path.parent,
                    fix="another -o, or wait for it",
                ) from None
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)  # its holder ended and removed it while we waited
    except OSError as error:
        raise ConfigError(f"cannot be locked ({error.strerror})", where=path) from error


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
