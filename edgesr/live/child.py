"""A gst-launch-1.0 process: started, listened to, and always brought to an end.

GStreamer runs in processes of its own. Python's bindings to it come from the system's packages
only, for the system's Python only; and a driver that crashes takes no more than its own process.
"""

import os
import re
import shutil
import subprocess
import threading
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import IO, Literal

from edgesr.errors import MissingError, StreamError

LAUNCHER = "gst-launch-1.0"
PACKAGES = "gstreamer1.0-tools gstreamer1.0-plugins-{base,good,bad,ugly} gstreamer1.0-libav"
"""Debian's and Ubuntu's names of what is needed."""

_OF_ELEMENT = {
    "x264enc": "gstreamer1.0-plugins-ugly",
    "gdppay": "gstreamer1.0-plugins-bad",
    "gdpdepay": "gstreamer1.0-plugins-bad",
    "h264parse": "gstreamer1.0-plugins-bad",
    "rtspclientsink": "gstreamer1.0-rtsp",
    "v4l2src": "gstreamer1.0-plugins-good",
    "rtspsrc": "gstreamer1.0-plugins-good",
    "matroskamux": "gstreamer1.0-plugins-good",
    "mp4mux": "gstreamer1.0-plugins-good",
    "nvv4l2decoder": "nvidia-l4t-gstreamer",
    "nvvidconv": "nvidia-l4t-gstreamer",
    "nvv4l2h264enc": "nvidia-l4t-gstreamer",
    "nv3dsink": "nvidia-l4t-gstreamer",
}
_FOLLOWING = (
    *("hlsdemux", "hlsdemux2", "dashdemux", "dashdemux2", "mssdemux", "mssdemux2"),
    *("sdpdemux", "gesdemux"),
)
"""Elements for files that name other files, or places in the network, where the video is. A file
called .mp4 may be one, and would have any file of the machine shown, or any address asked."""

_LISTS = re.compile(r"application/(x-hls|dash\+xml|vnd\.ms-sstr\+xml|sdp|xges)")
"""Their kinds, as GStreamer names what nothing is there to read."""

_BASE_TIME = re.compile(r"\bbase_time ([0-9]+):([0-9]{2}):([0-9]{2}\.[0-9]+)")
_NO_ELEMENT = re.compile(r'no element "([^"]+)"')
_ERROR = re.compile(r"(?:ERROR: from element [^ ]+: |WARNING: erroneous pipeline: )(.+)")
_CLOSED = "Output window was closed"
_GENTLE_S = 2.0
_KEPT_LINES = 40


class Child:
    """A GStreamer pipeline that runs in a process of its own.

    Args:
        pipeline: from `edgesr.live.pipelines`.
        side: `source`: frames come out of `pipe`; `sink`: they go into it.
        where: the source's or sink's name, for messages.

    Attributes:
        pipe: the binary pipe.
        where: as given.

    Raises:
        MissingError: GStreamer's launcher is not installed.
        StreamError: it cannot be run.
    """

    def __init__(
        self, pipeline: Sequence[str], side: Literal["source", "sink"], where: str
    ) -> None:
        program = shutil.which(LAUNCHER)
        if program is None:
            raise MissingError(
                f"GStreamer's {LAUNCHER} is not installed", fix=f"sudo apt install {PACKAGES}"
            )
        is_source = side == "source"
        try:
            self._process = subprocess.Popen(
                [program, "--quiet", *pipeline],
                stdin=subprocess.DEVNULL if is_source else subprocess.PIPE,
                stdout=subprocess.PIPE if is_source else subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=_environment(),
                bufsize=0,
                start_new_session=True,  # Ctrl-C is for us; a file is then ended as it should be
            )
        except OSError as error:
            raise StreamError(
                f"{LAUNCHER} cannot be run ({error.strerror})", where=program
            ) from error
        pipe = self._process.stdout if is_source else self._process.stdin
        assert pipe is not None and self._process.stderr is not None
        self.pipe: IO[bytes] = pipe
        self._side, self.where = side, where
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._complaint: list[str] = []
        self._base_time_s: float | None = None
        self._listener = threading.Thread(
            target=self._listen, args=(self._process.stderr,), name=f"gst-{side}", daemon=True
        )
        self._listener.start()

    def __enter__(self) -> "Child":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    @property
    def base_time_s(self) -> float | None:
        """Monotonic clock at the pipeline's running time 0; None until GStreamer has told it."""
        return self._base_time_s

    @property
    def was_closed(self) -> bool:
        """Whether its window was closed by its user."""
        return any(_CLOSED in line for line in self._complaint)

    def is_running(self) -> bool:
        """Tell whether the process is there."""
        return self._process.poll() is None

    def has_succeeded(self) -> bool:
        """Wait a moment for a process whose pipe has ended; tell whether it ended well."""
        try:
            return self._process.wait(_GENTLE_S) == 0
        except subprocess.TimeoutExpired:
            return False

    def finish(self, patience_s: float, must_succeed: bool) -> None:
        """Tell a sink that no more frames come, and wait until it is done.

        Args:
            patience_s: how long.
            must_succeed: whether what it does now matters, as to a file, which gets its end. A
                server may hang up as soon as it is told that a stream is over.

        Raises:
            StreamError: it failed, or was not done in time, and that matters.
        """
        self.pipe.close()
        try:
            status = self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            if must_succeed:
                raise StreamError(
                    f"the sink was not done after {patience_s:g} s", where=self.where
                ) from None
            return
        if status != 0 and must_succeed:
            raise self.failure()

    def end(self) -> None:
        """End the process, by force if need be, and release the pipe."""
        if self.is_running():
            self._process.terminate()
            try:
                self._process.wait(_GENTLE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
        self._listener.join(_GENTLE_S)
        self.pipe.close()

    def failure(self) -> StreamError | MissingError:
        """Return what went wrong, in GStreamer's words where it has any."""
        try:
            status: int | None = self._process.wait(_GENTLE_S)
        except subprocess.TimeoutExpired:
            status = None
        self._listener.join(_GENTLE_S)
        said = " ".join(self._complaint)
        missing = _NO_ELEMENT.search(said)
        if missing is not None:
            package = _OF_ELEMENT.get(missing[1], PACKAGES)
            return MissingError(
                f"GStreamer has no element {missing[1]} here",
                where=self.where,
                fix=f"sudo apt install {package}",
            )
        if _LISTS.search(said):
            return StreamError(
                "it is a list of other files or addresses, which is not followed", where=self.where
            )
        if said:
            return StreamError(f"the {self._side} failed: {said}", where=self.where)
        how = "" if status is None else f" with status {status}"
        words = f" ({self._lines[-1]})" if self._lines else ""
        return StreamError(
            f"GStreamer's process of the {self._side} ended{how}{words}", where=self.where
        )

    def _listen(self, stream: IO[bytes]) -> None:
        """Keep what is said; the first error is the cause of all others."""
        with stream:
            for raw in stream:
                line = raw.decode("utf-8", errors="replace").rstrip()
                told = _BASE_TIME.search(line)
                found = _ERROR.search(line)
                if told is not None:
                    hours, minutes, seconds = told.groups()
                    self._base_time_s = 3600 * int(hours) + 60 * int(minutes) + float(seconds)
                elif found is not None and not self._complaint:
                    self._complaint.append(found[1])
                elif len(self._complaint) == 1 and (detail := _detail(line)):
                    self._complaint.append(f"({detail})")
                elif line and " DEBUG " not in line and " INFO " not in line:
                    self._lines.append(line)


def _detail(line: str) -> str:
    """Return the line of an error's details that says more, without its place in the source."""
    if line.startswith(("Additional debug info", "../", "/", "gst")) or line.endswith(":"):
        return ""
    return line if not line.startswith(("ERROR", "WARNING")) else ""


def _environment() -> dict[str, str]:
    """English messages, the one line of debugging that tells a base time, nothing `_FOLLOWING`."""
    own = os.environ.get("GST_PLUGIN_FEATURE_RANK")
    ranks = [*([own] if own else []), *(f"{name}:NONE" for name in _FOLLOWING)]
    kept = {name: value for name, value in os.environ.items() if name != "GST_DEBUG_FILE"}
    return {
        **kept,
        "LC_ALL": "C.UTF-8",
        "LANGUAGE": "C",
        "GST_DEBUG": "pipeline:5",
        "GST_DEBUG_NO_COLOR": "1",
        "GST_PLUGIN_FEATURE_RANK": ",".join(ranks),
    }
