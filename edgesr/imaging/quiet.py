"""What the picture libraries print themselves, kept from the user and handed to us.

libjpeg, libpng, libtiff and OpenCV write their complaints straight to file descriptor 2. For a
damaged JPEG that line is the only sign that part of the picture was made up.

What Python prints meanwhile, in another thread, goes past that descriptor to where it led before:
else an error of one picture would vanish while another one is decoded, or damn that one.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_one_at_a_time = threading.Lock()
_KEPT = 1 << 20  # bytes; a file with more complaints than these is no less damaged


_STDERR = 2


class _Beside:
    """Python's standard error by a descriptor of its own, which leads where number 2 led."""

    descriptor: int | None = None
    stream: TextIO | None = None


def print_beside() -> None:
    """Let Python print to standard error by another descriptor than 2, for good.

    For a program whose standard error is its own: no thread of it can then hold the former stream
    while `captured_stderr` runs in another one.
    """
    with _one_at_a_time:
        stream = _beside()
        if stream is not None:
            sys.stderr = stream


def _beside() -> TextIO | None:
    """Return a stream to where descriptor 2 leads now, None where `sys.stderr` is something else.

    The descriptor is never closed, since a thread may print to it at any time.
    """
    if not _is_descriptor_2(sys.stderr):
        return None
    try:
        if _Beside.descriptor is None:
            _Beside.descriptor = os.dup(_STDERR)
        else:
            os.dup2(_STDERR, _Beside.descriptor, inheritable=False)
    except OSError:
        return None
    if _Beside.stream is None:
        _Beside.stream = os.fdopen(
            _Beside.descriptor, "w", 1, closefd=False,
            encoding=sys.stderr.encoding, errors=sys.stderr.errors,
        )  # fmt: skip
    return _Beside.stream


def _is_descriptor_2(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.fileno() == _STDERR
    except (OSError, ValueError, AttributeError):  # io.UnsupportedOperation is the first two
        return False


class Complaints:
    """Receives the text when the block of `captured_stderr` ends."""

    text = ""


@contextmanager
def captured_stderr() -> Iterator[Complaints]:
    """Keep what is written to file descriptor 2 while the block runs.

    It goes through a pipe that a thread empties, so no disk that is full and no limit on file sizes
    can swallow it. The descriptor belongs to the whole process, so blocks run one after another;
    it may be closed outside, and is so again afterwards.
    """
    complaints = Complaints()
    with _one_at_a_time:
        saved = _duplicate_stderr()
        before = sys.stderr
        if before is not None and saved is not None:
            before.flush()
        sys.stderr = _beside() or before
        if saved is None:
            _occupy_stderr()  # else an end of the pipe would get its number
        read_end, write_end = os.pipe()
        kept = bytearray()
        reader = threading.Thread(target=_empty, args=(read_end, kept), daemon=True)
        reader.start()
        os.dup2(write_end, 2)
        os.close(write_end)
        try:
            yield complaints
        finally:
            if saved is None:
                os.close(2)
            else:
                os.dup2(saved, 2)
                os.close(saved)
            if sys.stderr is _Beside.stream:
                sys.stderr = before
            reader.join()
            os.close(read_end)
            complaints.text = kept.decode(errors="replace")


def _duplicate_stderr() -> int | None:
    try:
        return os.dup(2)
    except OSError:
        return None


def _occupy_stderr() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    if nowhere != 2:
        os.dup2(nowhere, 2)
        os.close(nowhere)


def _empty(read_end: int, kept: bytearray) -> None:
    """Read until every writer is gone; beyond `_KEPT` bytes only to let the writer go on."""
    while part := os.read(read_end, 1 << 16):
        kept.extend(part[: max(0, _KEPT - len(kept))])
