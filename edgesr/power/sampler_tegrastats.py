"""tegrastats as a child process: every line is stamped on arrival with the monotonic clock.

The child is our own, with its own interval; `tegrastats --start` and `--stop` act on whatever
instance runs on the board, somebody else's too, so neither is used. Lines are only kept while work
is measured and read when they are asked for, so that reading them costs the work nothing.
"""

import os
import shutil
import subprocess
import threading
import time

from edgesr.boards.board import Board
from edgesr.errors import MissingError, PowerError, shell
from edgesr.power.board_rails import Total, find_total
from edgesr.power.sample import Sample, rail_names
from edgesr.power.tegrastats import LONGEST_LINE, parse_line

_END_S = 2.0
_FLOOD = 2000  # lines beyond twice those that were asked for


class TegrastatsSampler:
    """Runs `tegrastats --interval MS` and keeps what it prints.

    Args:
        interval_s: what tegrastats is asked for; 0.1 really comes every 0.109 s.
        board: decides which rail is the total; None: found from the rails.
        executable: name or path of the program.
        patience_s: how long the first line may take, beside three intervals.
    """

    source = "tegrastats"
    step_mw = 0.0
    failed_reads = 0

    def __init__(
        self,
        interval_s: float,
        board: Board | None = None,
        executable: str = "tegrastats",
        patience_s: float = 5.0,
    ) -> None:
        self.interval_s = interval_s
        self._board = board
        self._executable = executable
        self._silence_s = patience_s + 3 * interval_s
        self._child: subprocess.Popen[bytes] | None = None
        self._listener: threading.Thread | None = None
        self._arrived = threading.Event()
        self._raw: list[tuple[float, bytes]] = []
        self._read = 0
        self._samples: list[Sample] = []
        self._stopped_s: float | None = None
        self._strange: list[str] = []
        self._ended_early: str | None = None
        self._is_flood = False

    @property
    def total(self) -> Total:
        """How the total power is made."""
        return find_total(rail_names(self.samples()), self._board)

    @property
    def unknown_lines(self) -> int:
        """Lines printed so far that are not tegrastats'."""
        self.samples()
        return len(self._strange)

    @property
    def failure(self) -> str | None:
        """That the child has ended or gone silent, while it was not stopped."""
        if self._child is None or self._stopped_s is not None:
            return self._ended_early
        return self._trouble()

    def start(self) -> None:
        """Start the child and wait for its first line with power.

        Raises:
            PowerError: it cannot be started, or gives no power.
        """
        program = self._find()
        command = [program, "--interval", str(max(1, round(1000 * self.interval_s)))]
        try:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us, not for the child
            )
        except OSError as error:
            raise PowerError(
                f"tegrastats cannot be run ({error.strerror})", where=program
            ) from error
        self._listener = threading.Thread(target=self._listen, name="power-tegrastats", daemon=True)
        self._listener.start()
        self._await_power(program)

    def stop(self) -> None:
        """End the child; a child that does not listen is killed."""
        if self._child is None or self._stopped_s is not None:
            return
        self._ended_early = self._trouble()
        self._stopped_s = time.monotonic()
        self._child.terminate()
        try:
            self._child.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        if self._listener is not None:
            self._listener.join(_END_S)

    def samples(self) -> tuple[Sample, ...]:
        """Read the lines that have come since the last call; return all samples."""
        end = len(self._raw)
        for time_s, raw in self._raw[self._read : end]:
            text = raw.decode("utf-8", errors="replace")
            line = parse_line(text, complete=text.endswith("\n"))
            if line is not None:
                self._samples.append(line.to_sample(time_s))
            elif text.strip():
                self._strange.append(text.strip()[:200])
        self._read = end
        return tuple(self._samples)

    def _find(self) -> str:
        program = shutil.which(self._executable)
        if program is not None:
            return program
        there = shutil.which(self._executable, mode=os.F_OK)
        if there is not None:
            raise PowerError(
                "tegrastats may not be run", where=there, fix=f"chmod a+x {shell(there)}"
            )
        raise MissingError(
            "tegrastats is not installed (it comes with a Jetson's JetPack)",
            fix="--power hwmon, nvml, rapl or none",
        )

    def _listen(self) -> None:
        """Keep lines with their times; the thread waits in a read, and holds no lock over it."""
        assert self._child is not None
        stream = self._child.stdout
        assert stream is not None
        begin = time.monotonic()
        with stream:  # closing it ends the child, as it does when this process dies
            while raw := stream.readline(LONGEST_LINE):
                now = time.monotonic()
                if len(self._raw) > _FLOOD + 2 * (now - begin) / self.interval_s:
                    self._is_flood = True
                    break
                self._raw.append((now, raw))
                self._arrived.set()
        self._arrived.set()

    def _await_power(self, program: str) -> None:
        deadline = time.monotonic() + self._silence_s
        while not rail_names(self.samples()):
            if self._samples:
                raise PowerError(
                    "tegrastats prints no power here (before JetPack 6 it needs root for that)",
                    where=program,
                    fix="run the same command with sudo, or --power hwmon",
                )
            has_ended = self._listener is not None and not self._listener.is_alive()
            if has_ended or time.monotonic() > deadline:
                raise PowerError(
                    f"{self._trouble() or 'tegrastats prints nothing'}{self._last_words()}",
                    where=program,
                    fix="tegrastats --interval 1000",
                )
            self._arrived.wait(0.05)
            self._arrived.clear()

    def _trouble(self) -> str | None:
        assert self._child is not None
        if self._is_flood:
            return "what is called tegrastats prints without pause"
        status = self._exit_status()
        if status is not None:
            how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
            return f"tegrastats {how} after {len(self.samples())} samples"
        samples = self.samples()
        silent = time.monotonic() - samples[-1].time_s if samples else 0.0
        if silent > self._silence_s:
            return f"tegrastats has printed nothing for {silent:.0f} s"
        return None

    def _exit_status(self) -> int | None:
        """Return how the child ended; its output closes a moment before it does."""
        assert self._child is not None
        if self._listener is not None and not self._listener.is_alive():
            try:
                return self._child.wait(_END_S)
            except subprocess.TimeoutExpired:
                return None
        return self._child.poll()

    def _last_words(self) -> str:
        self.samples()
        return f"; it says: {self._strange[-1]}" if self._strange else ""
