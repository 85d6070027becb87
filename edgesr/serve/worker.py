"""The one thread that enlarges pictures, just as `edgesr upscale` does.

Decoders watch the process's standard error and a TensorRT engine belongs to the thread that opened
it, so one thread opens the networks, runs everything through them and closes them.
"""

import math
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgesr.errors import LimitError
from edgesr.files import temporary_folder
from edgesr.imaging.limits import max_megapixels
from edgesr.runtime.timing import timed
from edgesr.serve.form import Form
from edgesr.serve.settings import ServerSettings

if TYPE_CHECKING:
    from edgesr.imaging.picture import Picture
    from edgesr.runtime.sessions import Sessions


_CHECKED = 4096
"""Side of a picture, in pixels, against which every tile and overlap can be checked."""


class GivenUpError(Exception):
    """Nobody waits for the picture any more."""


@dataclass(frozen=True)
class NetworkReport:
    """What is told of the networks that run.

    Attributes:
        model: their names: one, or those that pictures are given to by how they are stored.
        scale: output side over input side.
        backend: what runs them.
    """

    model: str
    scale: int
    backend: str


@dataclass(frozen=True)
class ServedPicture:
    """An enlarged picture, encoded as the server answers it.

    Attributes:
        data: content of its file.
        input_size: (width, height) of what was sent, in pixels.
        output_size: (width, height) of what was made.
        model: name of the network that made it.
        decode_ms: from the file to the picture.
        run_ms: from the picture to the enlarged one.
        encode_ms: from that to its file.
        notes: what was lost, one sentence each.
    """

    data: bytes
    input_size: tuple[int, int]
    output_size: tuple[int, int]
    model: str
    decode_ms: float
    run_ms: float
    encode_ms: float
    notes: tuple[str, ...]


class ServeJob:
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
            raise GivenUpError


class Worker:
    """The networks in a thread of their own.

    Args:
        opener: gives the networks; called in that thread, which opens them all.
        settings: how they enlarge.

    Attributes:
        network: what runs.

    Raises:
        EdgesrError: a network cannot be opened, or the tiles of the settings do not fit it.
    """

    def __init__(self, opener: "Callable[[], Sessions]", settings: ServerSettings) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="enlarge")
        self._settings = settings
        try:
            self._sessions, self.network = self._pool.submit(_open, opener, settings).result()
        except BaseException:
            self._pool.shutdown()
            raise

    def enlarge(self, job: ServeJob) -> "Future[ServedPicture]":
        """Begin a job after those begun before.

        The future raises:
            StoppedError: it was given up.
            EdgesrError: the picture cannot be enlarged.
        """
        return self._pool.submit(self._enlarge, job)

    def close(self) -> None:
        """End what runs, close the networks and end the thread."""
        self._pool.submit(self._sessions.close).result()
        self._pool.shutdown()

    def _enlarge(self, job: ServeJob) -> ServedPicture:
        try:
            return enlarge(self._sessions, job, self._settings)
        except MemoryError as error:
            raise LimitError("not enough memory for its enlargement") from error


def _open(
    opener: "Callable[[], Sessions]", settings: ServerSettings
) -> "tuple[Sessions, NetworkReport]":
    """Open every network and check that the settings fit it.

    Raises:
        EdgesrError: a network cannot be opened, or the tiles of the settings do not fit it.
    """
    from edgesr.runtime.upscale import plan_for

    sessions = opener()
    try:
        opened = sessions.open_all()
        for session in opened:
            plan_for(session, _CHECKED, _CHECKED, settings.tile, settings.overlap)
    except BaseException:
        sessions.close()
        raise
    names = " or ".join(session.model for session in opened)
    backends = " or ".join(dict.fromkeys(session.backend for session in opened))
    return sessions, NetworkReport(names, sessions.scale, backends)


def enlarge(sessions: "Sessions", job: ServeJob, settings: ServerSettings) -> ServedPicture:
    """Decode, enlarge and encode a picture, by the network that suits it.

    Raises:
        StoppedError: it was given up.
        EdgesrError: it cannot be done.
    """
    from edgesr.imaging.encode import check_fits
    from edgesr.imaging.picture import decode
    from edgesr.runtime.to_file import enlarge_to_file

    job.go_on()
    picture, decode_ms = timed(lambda: decode(job.data))
    check_memory(picture)
    kind = job.form.target
    check_fits(picture, sessions.scale, kind)
    session = sessions.session_for(picture).session
    with temporary_folder() as folder:  # where rows are written as they come
        file = folder / f"result{kind.suffixes[0]}"
        made = enlarge_to_file(
            session,
            picture,
            file,
            kind,
            settings.tile,
            settings.overlap,
            quality=job.form.quality,
            on_tile=lambda done, of: job.go_on(),
        )
        data = file.read_bytes()
    job.go_on()
    return ServedPicture(
        data=data,
        input_size=(picture.width, picture.height),
        output_size=made.size,
        model=session.model,
        decode_ms=decode_ms,
        run_ms=made.latency_ms,
        encode_ms=made.write_ms,
        notes=(*picture.notes, *made.notes),
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
