"""What the picture libraries print themselves, kept from the user and handed to us.

libjpeg, libpng, libtiff and OpenCV write their complaints straight to file descriptor 2. For a
damaged JPEG that line is the only sign that part of the picture was made up.
"""

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_one_at_a_time = threading.Lock()


class Complaints:
    """Receives the text when the block of `captured_stderr` ends."""

    text = ""


@contextmanager
def captured_stderr() -> Iterator[Complaints]:
    """Keep what is written to file descriptor 2 while the block runs.

    The descriptor belongs to the whole process, so blocks run one after another; where it is closed
    there is nothing to keep.
    """
    complaints = Complaints()
    with _one_at_a_time:
        try:
            saved = os.dup(2)
        except OSError:
            yield complaints
            return
        try:
            with tempfile.TemporaryFile() as file:
                if sys.stderr is not None:
                    sys.stderr.flush()
                os.dup2(file.fileno(), 2)
                try:
                    yield complaints
                finally:
                    os.dup2(saved, 2)
                    file.seek(0)
                    complaints.text = file.read().decode(errors="replace")
        finally:
            os.close(saved)
