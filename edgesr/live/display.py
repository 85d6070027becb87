"""The way of a frame into a sink's process, with the moment at which it was taken in.

The sink's pipeline reads, encodes and shows in one thread. Once it has read a packet that was sent
behind a frame, it is done with that frame and waits for the next: only then does a frame go to it,
so none grows old in a queue.
"""

import array
import fcntl
import os
import select
import termios
import time
from collections.abc import Callable
from contextlib import suppress

import cv2
import numpy as np
from numpy.typing import NDArray

from edgesr.errors import StreamError
from edgesr.live import gdp
from edgesr.live.child import Child

_PIPE_BYTES = 1 << 20
_LOOK_S = 0.0005
_TURN_S = 0.1
_STALL_S = 10.0


class StalledSinkError(StreamError):
    """A sink that is there and takes no frames."""


class Display:
    """A sink that takes frames of one size.

    Args:
        child: the sink's process.
        width: of a frame in pixels, even.
        height: likewise.
        interval_s: time between frames of the source.
    """

    def __init__(self, child: Child, width: int, height: int, interval_s: float) -> None:
        self._child = child
        self._width, self._height, self._interval_s = width, height, interval_s
        self._caps = gdp.caps(width, height, interval_s)
        self._pipe = child.pipe.fileno()
        self._first_s: float | None = None
        os.set_blocking(self._pipe, False)
        with suppress(OSError):  # a system may allow less; a frame then takes more turns
            fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._mark_sent = True
        self._last_taken_s = time.monotonic()
        self._send(gdp.opening(self._caps))

    def is_ready(self, until_s: float) -> bool:
        """Wait until the sink can take a frame at once.

        Args:
            until_s: monotonic clock at which to give up.

        Raises:
            StreamError: the sink has ended, or has taken nothing for 10 s.
        """
        if not self._await_empty(until_s):
            return False
        if not self._mark_sent:
            self._send(self._caps)
            self._mark_sent = True
        return self._await_empty(until_s)

    def cut(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return (height, width, 3) of a picture that may have one row or column more."""
        return rgb[: self._height, : self._width]

    def check(self) -> None:
        """Look whether the sink is there.

        Raises:
            StreamError: the sink has ended.
        """
        if not self._child.is_running():
            raise self._child.failure()

    def show(self, planes: NDArray[np.uint8], sent_s: float, stopped: Callable[[], bool]) -> float:
        """Give a frame to the sink, which is ready for it.

        Args:
            planes: from `to_i420`.
            sent_s: monotonic clock of now, from which the frame's place in a file follows.
            stopped: ends the wait for a sink that does not go on.

        Returns:
            Monotonic clock when the sink had all of it.

        Raises:
            StreamError: the sink has ended, or has taken nothing for 10 s.
        """
        if self._first_s is None:
            self._first_s = sent_s
        self._send(gdp.buffer_header(planes.nbytes, sent_s - self._first_s, self._interval_s))
        self._send(planes.data)
        self._mark_sent = False
        while not self._await_empty(time.monotonic() + _TURN_S) and not stopped():
            pass
        return time.monotonic()

    def _send(self, data: bytes | memoryview) -> None:
        view = memoryview(data).cast("B")
        while view:
            _, writable, _ = select.select([], [self._pipe], [], _TURN_S)
            try:
                count = os.write(self._pipe, view) if writable else 0
            except BlockingIOError:
                count = 0
            except OSError as error:
                raise self._child.failure() from error
            view = view[count:]
            if count:
                self._last_taken_s = time.monotonic()
            self._check_stall()

    def _await_empty(self, until_s: float) -> bool:
        """Wait until the sink has read everything that was sent."""
        unread = array.array("i", [0])
        while True:
            fcntl.ioctl(self._pipe, termios.FIONREAD, unread)
            if unread[0] == 0:
                self._last_taken_s = time.monotonic()
                return True
            self.check()
            self._check_stall()
            if time.monotonic() >= until_s:
                return False
            time.sleep(_LOOK_S)

    def _check_stall(self) -> None:
        if time.monotonic() - self._last_taken_s > _STALL_S:
            raise StalledSinkError(
                f"the sink has taken nothing for {_STALL_S:g} s", where=self._child.where
            )


def even(length: int) -> int:
    """Return the largest even length up to this one: chroma has half as many pixels."""
    return length - length % 2


def to_i420(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture as planes Y, U and V as GStreamer lays them out, BT.601, 16 to 235.

    Args:
        rgb: (height, width, 3), both sides even.

    Returns:
        All bytes of the three planes, lines filled up to a multiple of four bytes.
    """
    height, width = rgb.shape[:2]
    packed = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420).reshape(-1)
    if width % 8 == 0:
        return np.asarray(packed, np.uint8)
    planes = []
    at = 0
    for lines, length in ((height, width), *[(height // 2, width // 2)] * 2):
        plane = packed[at : at + lines * length].reshape(lines, length)
        planes.append(np.pad(plane, ((0, 0), (0, -length % 4)), mode="edge").reshape(-1))
        at += lines * length
    return np.concatenate(planes)
