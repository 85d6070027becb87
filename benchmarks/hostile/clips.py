"""A short clip and a short animation, and what the frames of one show."""

import hashlib
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FRAMES = 60
"""Of the clip: more than a segment."""
_HEIGHT, _WIDTH, _RATE = 16, 24, 25


def _frame(number: int) -> NDArray[np.uint8]:
    """Return (height, width, 3): a gradient that moves."""
    ramp = np.arange(_HEIGHT * _WIDTH * 3).reshape(_HEIGHT, _WIDTH, 3)
    return ((ramp + 5 * number) % 256).astype(np.uint8)


def write_clip(path: Path) -> None:
    """Write an H.264 clip of `FRAMES` frames."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(_RATE))
        stream.width, stream.height, stream.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
        for number in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(_frame(number), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def write_animation(path: Path) -> None:
    """Write a GIF of three frames."""
    from PIL import Image

    first, *others = (Image.fromarray(_frame(20 * number)) for number in range(3))
    first.save(path, save_all=True, append_images=others, duration=80)


def frames_of(path: Path) -> str:
    """Return a hash of all frames, decoded.

    Raises:
        av.FFmpegError: the file is not whole.
    """
    import av

    found = hashlib.sha256()
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            found.update(frame.to_ndarray(format="rgb24").tobytes())
    return found.hexdigest()


def size_of(path: Path) -> str:
    """Return the size of the frames, such as 64x48."""
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return f"{stream.width}x{stream.height}"


MOVING = {"small.gif": write_animation, "small.mp4": write_clip}
"""What a scenario may take -> what writes it."""
