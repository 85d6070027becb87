"""Puts power mode and clocks of a board back, however the sweep ends.

A process of its own, in a session of its own, waits for the end of its standard input. The sweep
holds the other end of that pipe, and the kernel closes it when the sweep is gone: at its end, after
an error, Ctrl-C, SIGTERM and `kill -9` alike. So there is one way of putting back, and no end that
goes around it. Signals do not end the guard. A program that the sweep has started on the board may
outlive it and do its work afterwards; it holds the pipe too, so that the guard waits for its end.

Should the guard be killed as well, or the board lose power, what is to be put back still stands in
a folder (STATE), and the next sweep, or jetson/setup.sh, puts it back before anything else. A lock
on the folder, which both hold, tells what was left behind from what is still needed.
"""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from edgesr.errors import EdgesrError, shell
from edgesr.files import make_folder, write_text
from edgesr.sweep.board_modes import current_id, run, set_mode

STATE = Path("/var/lib/edgesr/power")
"""Holds `mode`, the id to go back to, and `clocks.conf` as `jetson_clocks --store` writes it."""

_MODE, _CLOCKS, _LOCK = "mode", "clocks.conf", "lock"
_READY = "ready"


@dataclass(frozen=True)
class Kept:
    """What will be put back, and what the guard waits for.

    Attributes:
        mode_id: id of a power mode.
        clocks: what `jetson_clocks --store` wrote.
        held: what a program that changes mode or clocks must hold open; see `run`.
    """

    mode_id: int
    clocks: Path
    held: tuple[int, ...]


@contextmanager
def guarded(state: Path = STATE) -> Iterator[Kept]:
    """Keep power mode and clocks as they are now, and put them back after the block.

    Args:
        state: folder for what must outlive a loss of power.

    Yields:
        What will be put back.

    Raises:
        EdgesrError: another sweep or setup.sh is under way, what an earlier one left cannot be put
            back, or at the end this one's cannot.
    """
    guard = subprocess.Popen(
        [sys.executable, "-m", __name__, str(state)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # Ctrl-C goes to the group of the sweep
    )
    if guard.stdin is None or guard.stdout is None:
        raise EdgesrError("the guard of the power mode has no pipes")
    word, _, rest = guard.stdout.readline().partition(" ")
    if word != _READY:
        guard.stdin.close()
        text = f"{word} {rest}{guard.stdout.read()}".strip()
        guard.wait()
        raise EdgesrError(text or "the guard of the power mode did not start", where=state)
    try:
        yield Kept(int(rest), state / _CLOCKS, (guard.stdin.fileno(),))
    finally:
        guard.stdin.close()
        text = guard.stdout.read().strip()
        if guard.wait() != 0:
            raise EdgesrError(
                f"power mode and clocks could not be put back ({text})",
                where=state,
                fix=f"sudo nvpmodel -m {shell(rest.strip())}; reboot",
            )


def put_back(state: Path) -> bool:
    """Put back what the folder tells, and forget it.

    Returns:
        Whether there was anything to put back.

    Raises:
        EdgesrError: the board did not take all of it; the folder still tells it.
    """
    mode, clocks = state / _MODE, state / _CLOCKS
    if not mode.exists():
        return False
    text = mode.read_text("utf-8").strip()
    if not text.isdecimal():
        raise EdgesrError(f"it holds '{text}', and no power mode", where=mode, fix=f"rm {mode}")
    number = int(text)
    failed = None
    if clocks.exists():
        # Before the mode: locked minimum clocks may be above what that mode allows.
        try:
            run(["jetson_clocks", "--restore", str(clocks)])
        except EdgesrError as error:
            failed = error
    if current_id() != number and not set_mode(number):
        raise EdgesrError(f"the board did not take power mode {number}")
    if failed is not None:
        raise failed
    mode.unlink()
    clocks.unlink(missing_ok=True)
    return True


def _remember(state: Path) -> int:
    """Write down what is to be put back, the mode last: without it nothing counts."""
    number = current_id()
    run(["jetson_clocks", "--store", str(state / _CLOCKS)])
    write_text(state / _MODE, f"{number}\n")
    return number


def _lock(state: Path) -> IO[str]:
    lock = (state / _LOCK).open("w", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise EdgesrError("another sweep, or jetson/setup.sh, is under way") from None
    return lock


def main(state: Path) -> int:
    """Be the guard; return the exit status."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    try:
        make_folder(state)
        with _lock(state):
            put_back(state)
            _tell(f"{_READY} {_remember(state)}")
            sys.stdin.read()
            put_back(state)
    except (EdgesrError, OSError, ValueError) as error:
        _tell(str(error))
        return 1
    return 0


def _tell(text: str) -> None:
    """Print to the sweep, which may be gone."""
    try:
        os.write(sys.stdout.fileno(), f"{text}\n".encode())
    except OSError:
        return


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
