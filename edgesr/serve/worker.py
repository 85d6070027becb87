"""The one thread that enlarges pictures, just as `edgesr upscale` does.

Decoders watch the process's standard error and a TensorRT engine belongs to the thread that opened
it, so one thread opens the network, runs everything through it and closes it.
"""

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from edgesr.errors import LimitError
from edgesr.imaging.limits import max_megapixels
from edgesr.serve.form import Form
from edgesr.serve.settings import Settings

if TYPE_CHECKING:
    from edgesr.imaging.picture import Picture
    from edgesr.runtime.session import Session

T = TypeVar("T")


class StoppedError(Exception):
    """Nobody waits for the picture any more."""


@dataclass(frozen=True)
class Enlarged:
    """A picture that was made.

    Attributes:
        data: content of its file.
        input_size: (width, height) of what was sent, in pixels.
        output_size: (width, height) of what was made.
        decode_ms: from the file to the picture.
        run_ms: from the picture to the enlarged one.
        encode_ms: from that to its file.
        notes: what was lost, one sentence each.
    """

    data: bytes
    input_size: tuple[int, int]
    output_size: tuple[int, int]
    decode_ms: float
    run_ms: float
    encode_ms: float
    notes: tuple[str, ...]


class Job:
    """A picture to enlarge, which can be given up while it runs.

    Args:
        data: content of the file.
        form: of the result.
    """

    def __init__(self, data: bytes, form: Form) -> None:
        self.data = data
        self.form = form
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Give it up: after the tile that runs now, at the latest."""
        self._stopped.set()

    def go_on(self) -> None:
        """Return if somebody still waits for it.

        Raises:
            StoppedError: nobody does.
        """
        if self._stopped.is_set():
            raise StoppedError


class Worker:
    """A network in a thread of its own.

    Args:
        opener: opens the network; called in that thread.
        settings: how it enlarges.

    Raises:
        EdgesrError: the network cannot be opened.
    """

    def __init__(self, opener: "Callable[[], Session]", settings: Settings) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="enlarge")
        self._settings = settings
        try:
            self.session = self._pool.submit(opener).result()
        except BaseException:
            self._pool.shutdown()
            raise

    def enlarge(self, job: Job) -> "Future[Enlarged]":
        """Begin a job after those begun before.

        The future raises:
            StoppedError: it was given up.
            EdgesrError: the picture cannot be enlarged.
        """
        return self._pool.submit(self._enlarge, job)

    def close(self) -> None:
        """End what runs, close the network and end the thread."""
        self._pool.submit(self.session.close).result()
        self._pool.shutdown()

    def _enlarge(self, job: Job) -> Enlarged:
        try:
            return enlarge(self.session, job, self._settings)
        except MemoryError as error:
            raise LimitError("not enough memory for its enlargement") from error


def enlarge(session: "Session", job: Job, settings: Settings) -> Enlarged:
    """Decode, enlarge and encode a picture.

    Raises:
        StoppedError: it was given up.
        EdgesrError: it cannot be done.
    """
    from edgesr.imaging.encode import check_fits, encode
    from edgesr.imaging.picture import decode
    from edgesr.runtime.photograph import upscale_picture

    job.go_on()
    picture, decode_ms = _timed(lambda: decode(job.data))
    check_memory(picture)
    check_fits(picture, session.scale, job.form.target)
    made, run_ms = _timed(
        lambda: (
            upscale_picture(
                session, picture, settings.tile, settings.overlap, lambda done, of: job.go_on()
            ).picture
        )
    )
    job.go_on()
    (data, notes), encode_ms = _timed(lambda: encode(made, job.form.target, job.form.quality))
    return Enlarged(
        data=data,
        input_size=(picture.width, picture.height),
        output_size=(made.width, made.height),
        decode_ms=decode_ms,
        run_ms=run_ms,
        encode_ms=encode_ms,
        notes=(*picture.notes, *notes),
    )


def check_memory(picture: "Picture") -> None:
    """Refuse a picture that takes more memory than one of 8-bit RGB at the limit on pixels.

    A few kilobytes can hold many pixels of 16 bits with alpha, and each of them becomes
    `scale * scale` of them.

    Raises:
        LimitError: it does.
    """
    channels = 3 if picture.alpha is None else 4
    weight = channels * picture.colour.itemsize / 3
    counted = picture.height * picture.width * weight / 1e6
    limit = max_megapixels()
    if counted > limit:
        raise LimitError(
            f"a picture of {8 * picture.colour.itemsize} bits and {channels} channels counts "
            f"{weight:.1f} times here: {counted:.1f} megapixels, more than the limit of {limit:g}",
            fix=f"edgesr --max-megapixels {math.ceil(counted)} COMMAND ...",
        )


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    """Return what a piece of work gives and the milliseconds it took."""
    start = time.perf_counter()
    result = work()
    return result, (time.perf_counter() - start) * 1000.0
