"""What the picture libraries print themselves, kept from the user and handed to us.

libjpeg, libpng, libtiff and OpenCV write their complaints straight to file descriptor 2. For a
damaged JPEG that line is the only sign that part of the picture was made up.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_one_at_a_time = threading.Lock()
_KEPT = 1 << 20  # bytes; a file with more complaints than these is no less damaged


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
        if sys.stderr is not None and saved is not None:
            sys.stderr.flush()
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
