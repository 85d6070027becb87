"""Stands in for gst-launch-1.0 and watches what goes into a sink, with its own eyes and clock.

The real program does the work. A sink's frames pass through here on their way: of each one is
written down when a last part was still to come and when all of it had come, by the clock of the
wall, and where the ball of the test source stood in it. However long this process is kept from a
processor, the sink had the frame between those two. The ball turns once a second by the same clock,
so its angle tells when the frame was drawn. Nothing of edgesr is used.

Environment: TAP_PROGRAM, the real program; TAP_FILE, JSON lines of what is seen.
"""

import io
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import cv2
import numpy as np

HEADER_BYTES, BUFFER, CAPS = 62, 1, 2
SMALLER = 4  # every fourth pixel of each fourth line is looked at


def drawn_part(luma: np.ndarray) -> float | None:
    """Return the part of a second at which a frame's ball was drawn; None: no ball is seen.

    The letters of the overlay may hide the ball's upper edge: its sides and its lower edge count.
    """
    light = (luma[::SMALLER, ::SMALLER] > 128).astype(np.uint8)
    ball = cv2.morphologyEx(light, cv2.MORPH_OPEN, np.ones((15, 15), np.uint8))  # without lines
    rows, columns = np.nonzero(ball)
    if len(rows) < 100:
        return None
    height, width = light.shape
    radius = (columns.max() - columns.min()) / 2
    x = (columns.max() + columns.min()) / 2 - width / 2
    y = rows.max() - radius - height / 2
    return (math.atan2(y, x) / (2 * math.pi) + 0.25) % 1.0


def exactly(stream: io.RawIOBase, count: int) -> tuple[bytes, float]:
    """Read so many bytes, fewer at the end of the stream; return them and when the last were due.

    Args:
        stream: not buffered, so that nothing is read before it is asked for.
        count: of bytes.
    """
    data = bytearray()
    awaited_s = time.time()
    while len(data) < count and (more := stream.read(count - len(data))):
        data += more
        if len(data) < count:
            awaited_s = time.time()
    return bytes(data), awaited_s


def watch(source: io.RawIOBase, sink: IO[bytes], notes: IO[str]) -> None:
    """Pass packets on, and write down what is in them."""
    width = height = 0
    while len(head := exactly(source, HEADER_BYTES)[0]) == HEADER_BYTES:
        kind, length = int.from_bytes(head[4:6], "big"), int.from_bytes(head[6:10], "big")
        payload, awaited_s = exactly(source, length)
        wall_s = time.time()
        sink.write(head + payload)
        sink.flush()
        if kind == CAPS:
            words = payload.decode().replace(",", "").split()
            width, height = (
                int(next(word for word in words if word.startswith(side)).split(")")[1])
                for side in ("width=", "height=")
            )
        elif kind == BUFFER and len(payload) == length:
            luma = np.frombuffer(payload, np.uint8)[: width * height].reshape(height, width)
            part = drawn_part(luma)
            note = {"awaited_wall_s": awaited_s, "wall_s": wall_s, "drawn_part": part}
            notes.write(json.dumps(note) + "\n")
            notes.flush()


def main() -> int:
    """Be the source's process, or watch the sink's."""
    program, arguments = os.environ["TAP_PROGRAM"], sys.argv[1:]
    if "fdsrc" not in arguments:
        os.execv(program, [program, *arguments])
    with Path(os.environ["TAP_FILE"]).open("a", encoding="utf-8") as notes:
        real = subprocess.Popen([program, *arguments], stdin=subprocess.PIPE)
        assert real.stdin is not None
        watch(io.FileIO(sys.stdin.fileno(), closefd=False), real.stdin, notes)
        real.stdin.close()
        return real.wait()


if __name__ == "__main__":
    sys.exit(main())
