"""What a worker does: the bytes of one picture in, those of its enlargement out."""

import functools
import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

from edgesr.errors import EdgesrError, ImageError, MissingError
from edgesr.files import temporary_folder
from edgesr.library.model import Model, open_model
from edgesr.library.upscaled import Upscaled
from edgesr.version import __version__


@dataclass(frozen=True)
class Order:
    """How every picture of a run is enlarged and written.

    Attributes:
        model: name of a network; None: by picture; of a file, its name.
        files: content of the file of the model and of its manifest by name; empty for a name.
        scale: factor between input and output sides, where a person named one.
        backend: that runs the network, named, so that all workers take the same.
        threads: CPU threads of a worker.
        tile: side of a tile; None: the model's.
        overlap: pixels that neighbouring tiles share; None: the default.
        quality: 1 to 100, of formats with loss.
        background: colour behind transparent parts, where a format has no alpha channel.
        width: of the result in pixels at most; None: any.
        height: of the result in pixels at most; None: any.
        tta: average over eight orientations.
        version: of edgesr, the same on all machines.
    """

    model: str | None
    files: tuple[tuple[str, bytes], ...]
    scale: float | None
    backend: str
    threads: int
    tile: int | None
    overlap: int | None
    quality: int
    background: str | None = None
    width: int | None = None
    height: int | None = None
    tta: bool = False
    version: str = __version__


@dataclass(frozen=True)
class TaskResult:
    """What a worker gives back.

    Attributes:
        data: content of the result's file.
        told: of it, as for one machine; its files are those of the worker.
    """

    data: bytes
    told: Upscaled


def enlarge(order: Order, name: str, data: bytes, ending: str) -> TaskResult | EdgesrError:
    """Enlarge one picture; return the error where that cannot be done, which no retry mends.

    Args:
        order: how.
        name: of the file, for messages.
        data: its content.
        ending: of the result's file, such as `.png`.
    """
    try:
        if order.version != __version__:
            raise MissingError(
                f"a worker has edgesr {__version__}, this machine {order.version}",
                fix=f"pip install edgesr=={order.version}",
            )
        return _enlarge(order, name, data, ending)
    except MemoryError:
        return ImageError("not enough memory for its enlargement", where=name)
    except EdgesrError as error:
        return error.at(error.where or name)


def _enlarge(order: Order, name: str, data: bytes, ending: str) -> TaskResult:
    """Enlarge one picture, from file to file as one machine does, so that the bytes are the same.

    Raises:
        EdgesrError: it cannot be done.
    """
    with temporary_folder() as folder:
        source, output = folder / "picture", folder / f"result{ending}"
        source.write_bytes(data)
        try:
            told = _model(order).upscale(
                source, output, tile=order.tile, overlap=order.overlap, quality=order.quality,
                background=order.background, width=order.width, height=order.height, tta=order.tta,
            )  # fmt: skip
        except EdgesrError as error:
            if error.where in (str(source), str(output)):
                raise error.at(name) from None
            raise
        return TaskResult(output.read_bytes(), told)


@functools.lru_cache(maxsize=1)
def _model(order: Order) -> Model:
    """Return the network of a worker, which stays open from one picture to the next."""
    model = order.model
    if order.files:
        digest = hashlib.sha256(b"".join(content for _, content in order.files)).hexdigest()[:16]
        folder = Path(tempfile.mkdtemp(prefix=f"edgesr-{digest}-"))
        for name, content in order.files:
            (folder / name).write_bytes(content)
        model = str(folder / order.files[0][0])
    return open_model(model, scale=order.scale, backend=order.backend, threads=order.threads)
