"""A folder of HR pictures, decoded once and degraded as the benchmarks are: HR and LR in pairs."""

import os
from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgesr.errors import ImageError
from edgesr.imaging.resize import imresize, modcrop

_AHEAD = 4  # pictures decoded ahead of the consumer, per worker

Rgb = NDArray[np.uint8]


class TrainingPair(NamedTuple):
    """HR (scale*h, scale*w, 3) and LR (h, w, 3), uint8 RGB."""

    hr: Rgb
    lr: Rgb


def pairs(files: list[Path], scale: int) -> Generator[TrainingPair | ImageError, None, None]:
    """Decode and degrade pictures on all cores, in the order of `files`.

    Decoding and the matrix products of the degradation release the interpreter lock, so threads
    do, and nothing is copied between processes.

    A consumer that stops early closes the iterator, so that what waits is not decoded any more.

    Yields:
        One pair a file, its HR cut to a multiple of `scale`; why there is none where a file is no
        picture.
    """
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    pool = ThreadPoolExecutor(workers)
    waiting: deque[Future[TrainingPair | ImageError]] = deque()
    try:
        for file in files:
            waiting.append(pool.submit(_pair, file, scale))
            if len(waiting) > _AHEAD * (workers or 1):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def degrade(hr: Rgb, scale: int) -> TrainingPair:
    """Cut to a multiple of `scale` from the top left and shrink as MATLAB's imresize does.

    Args:
        hr: (height, width, 3), at least `scale` on each side.
        scale: factor between the sides.
    """
    cut = modcrop(hr, scale)
    return TrainingPair(cut, imresize(cut, 1 / scale))


def read_rgb(file: Path) -> Rgb:
    """Return a picture as training sees it, (height, width, 3), by the reader of all commands.

    Grey, alpha and 16-bit files all come as three 8-bit channels, turned as EXIF says.

    Raises:
        ImageError: it cannot be read, or is damaged.
    """
    from edgesr.imaging.picture import read_picture

    colour = read_picture(file).colour
    if colour.dtype == np.uint16:
        colour = np.rint(colour / 257.0)
    return colour.astype(np.uint8, copy=False)


def _pair(file: Path, scale: int) -> TrainingPair | ImageError:
    try:
        rgb = read_rgb(file)
    except ImageError as error:  # counted and said by the caller
        return error if error.where else error.at(file)
    if min(rgb.shape[:2]) < scale:
        height, width = rgb.shape[:2]
        return ImageError(f"is {width}x{height}, too small to be shrunk {scale} times", where=file)
    return degrade(rgb, scale)
