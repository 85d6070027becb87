"""Frames of a source, read in a thread as they come; only the latest is kept.

The moment of capture is the frame's own time stamp in GStreamer's pipeline, put on the monotonic
clock by the pipeline's base time. A camera's stamp is the driver's, a recording's the moment at
which it is due. What happens before a stamp is made cannot be seen: exposure, or the way of a
stream from a camera to this machine.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

import numpy as np
from numpy.typing import NDArray

from edgesr.errors import StreamError
from edgesr.live.gdp import BUFFER, CAPS, HEADER, VideoFormat, read_caps, read_header

_FEWEST_TO_PACE = 3
_REMEMBERED = 31  # intervals whose median stands for one that is not declared


@dataclass(frozen=True)
class Frame:
    """One frame of a source, with its time.

    Attributes:
        number: of the frame as it came, from 0.
        rgb: (height, width, 3), 8 bits.
        time_s: its time stamp in the source's pipeline.
        captured_s: monotonic clock when it was captured.
        arrived_s: monotonic clock when all of it was here.
    """

    number: int
    rgb: NDArray[np.uint8]
    time_s: float
    captured_s: float
    arrived_s: float


class CapturePace:
    """When frames were captured, and how far apart they come.

    Args:
        declared_s: interval that the source declares, if it does.
    """

    def __init__(self, declared_s: float | None) -> None:
        self._declared_s = declared_s
        self._intervals_s: deque[float] = deque(maxlen=_REMEMBERED)
        self._last_s: float | None = None
        self._offset_s = math.inf
        self.lost = 0

    def captured_s(self, time_s: float, arrived_s: float, base_time_s: float | None) -> float:
        """Return the moment of capture of a frame.

        A frame cannot come before it was captured. Without a base time that fits, the quickest
        frame so far is therefore taken to have come at once.

        Args:
            time_s: its time stamp.
            arrived_s: when it came.
            base_time_s: of its pipeline; None: not known.
        """
        if base_time_s is not None and math.isinf(self._offset_s):
            self._offset_s = base_time_s
        self._offset_s = min(self._offset_s, arrived_s - time_s)
        if self._last_s is not None and time_s > self._last_s:
            self._intervals_s.append(time_s - self._last_s)
            if self.interval_s is not None:
                self.lost += max(0, round((time_s - self._last_s) / self.interval_s) - 1)
        self._last_s = time_s
        return self._offset_s + time_s

    @property
    def interval_s(self) -> float | None:
        """Time between frames: the declared one, else the median; None while too few came."""
        if self._declared_s is not None:
            return self._declared_s
        if len(self._intervals_s) < _FEWEST_TO_PACE:
            return None
        return float(np.median(self._intervals_s))


class Capture:
    """Reads frames in a thread until their stream ends.

    Args:
        stream: of GDP packets.
        base_time_s: asks for the base time of the pipeline that writes them.
        on_superseded: told, in that thread, of every frame that a later one took the place of.
    """

    def __init__(
        self,
        stream: IO[bytes],
        base_time_s: Callable[[], float | None],
        on_superseded: Callable[[Frame], None],
    ) -> None:
        self._stream, self._base_time_s = stream, base_time_s
        self._on_superseded = on_superseded
        self._changed = threading.Condition()
        self._latest: Frame | None = None
        self._has_ended = False
        self._pace = CapturePace(None)
        self.format: VideoFormat | None = None
        self.failure: StreamError | None = None
        self.frames = 0
        self.last_arrival_s = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="live-capture", daemon=True)
        self._thread.start()

    @property
    def interval_s(self) -> float | None:
        """Time between frames of the source; None while it is not known."""
        return self._pace.interval_s

    @property
    def lost(self) -> int:
        """Frames that did not come, as the gaps between time stamps tell."""
        return self._pace.lost

    @property
    def has_ended(self) -> bool:
        """Whether no more frames will come, and the last has been taken."""
        return self._has_ended and self._latest is None

    def take(self, timeout_s: float) -> tuple[Frame, bool] | None:
        """Take the latest frame.

        Args:
            timeout_s: how long to wait for one.

        Returns:
            The frame, and whether it has just come; None where none came.
        """
        with self._changed:
            just_came = self._latest is None
            if just_came and not self._has_ended:
                self._changed.wait(timeout_s)
            frame, self._latest = self._latest, None
        return None if frame is None else (frame, just_came)

    def join(self) -> None:
        """Wait for the thread, once the stream has ended."""
        self._thread.join()

    def _run(self) -> None:
        try:
            while (head := self._read(HEADER.size)) is not None:
                header = read_header(head)
                payload = self._read(header.length)
                if payload is None:
                    break
                if header.kind == CAPS:
                    self._begin(read_caps(payload))
                elif header.kind == BUFFER and header.time_s is not None:
                    self._put(payload, header.time_s)
        except StreamError as error:
            self.failure = error
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def _begin(self, format: VideoFormat) -> None:
        if self.format is not None and self.frames:
            if (format.width, format.height) != (self.format.width, self.format.height):
                raise StreamError(
                    f"the source changed from {self.format.width}x{self.format.height} to "
                    f"{format.width}x{format.height}",
                    fix=f"--size {self.format.width}x{self.format.height}",
                )
            return
        self.format = format
        self._pace = CapturePace(format.interval_s)

    def _put(self, payload: bytearray, time_s: float) -> None:
        format = self.format
        if format is None or len(payload) != format.frame_bytes:
            raise StreamError("a frame of the source has another size than it declared")
        arrived_s = time.monotonic()
        lines = np.frombuffer(payload, np.uint8).reshape(format.height, format.stride_bytes)
        frame = Frame(
            self.frames,
            lines[:, : 3 * format.width].reshape(format.height, format.width, 3),
            time_s,
            self._pace.captured_s(time_s, arrived_s, self._base_time_s()),
            arrived_s,
        )
        with self._changed:
            before, self._latest = self._latest, frame
            self.frames += 1
            self.last_arrival_s = arrived_s
            self._changed.notify_all()
        if before is not None:
            self._on_superseded(before)

    def _read(self, length: int) -> bytearray | None:
        """Return exactly so many bytes; None where the stream ends before."""
        data = bytearray(length)
        view = memoryview(data)
        while view:
            try:
                count = self._stream.readinto(view)  # type: ignore[attr-defined]
            except (OSError, ValueError):  # closed under us, at the end
                return None
            if not count:
                return None
            view = view[count:]
        return data
