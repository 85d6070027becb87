"""What a worker does: the bytes of one picture in, those of its enlargement out."""

import functools
import hashlib
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import edgesr
from edgesr.errors import EdgesrError, ImageError, MissingError


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
        version: of edgesr, the same on all machines.
    """

    model: str | None
    files: tuple[tuple[str, bytes], ...]
    scale: int | None
    backend: str
    threads: int
    tile: int | None
    overlap: int | None
    quality: int
    version: str = edgesr.__version__


@dataclass(frozen=True)
class Enlarged:
    """What a worker gives back.

    Attributes:
        data: content of the result's file.
        report: what is told of it: sizes, model, tiles and times, as for one machine.
    """

    data: bytes
    report: dict[str, Any]


def enlarge(order: Order, name: str, data: bytes, ending: str) -> Enlarged | EdgesrError:
    """Enlarge one picture; return the error where that cannot be done, which no retry mends.

    Args:
        order: how.
        name: of the file, for messages.
        data: its content.
        ending: of the result's file, such as `.png`.
    """
    try:
        if order.version != edgesr.__version__:
            raise MissingError(
                f"a worker has edgesr {edgesr.__version__}, this machine {order.version}",
                fix=f"pip install edgesr=={order.version}",
            )
        return _enlarge(order, data, ending)
    except MemoryError:
        return ImageError("not enough memory for its enlargement", where=name)
    except EdgesrError as error:
        return type(error)(error.what, where=error.where or name, fix=error.fix)


def _enlarge(order: Order, data: bytes, ending: str) -> Enlarged:
    """Enlarge one picture.

    Raises:
        EdgesrError: it cannot be done.
    """
    from edgesr.imaging.encode import check_fits, encode, format_for
    from edgesr.imaging.picture import decode
    from edgesr.runtime.photograph import passes, upscale_picture
    from edgesr.runtime.upscale import plan_for

    begin = time.perf_counter()
    picture = decode(data)
    decoded = time.perf_counter()
    target = format_for(ending)
    opened = _sessions(order).session_for(picture)
    session = opened.session
    check_fits(picture, session.scale, target)
    plan = plan_for(session, picture.height, picture.width, order.tile, order.overlap)
    ready = time.perf_counter()
    enlarged = upscale_picture(session, picture, plan)
    done = time.perf_counter()
    result, notes = encode(enlarged, target, order.quality)
    return Enlarged(
        result,
        {
            "input_size": (picture.width, picture.height),
            "output_size": (enlarged.width, enlarged.height),
            "model": session.model,
            "model_reason": opened.reason,
            "backend": session.backend,
            "scale": session.scale,
            "tile": (plan.columns.tile, plan.rows.tile),
            "overlap": plan.rows.overlap,
            "tiles": passes(picture) * len(plan),
            "load_ms": opened.load_ms,
            "read_ms": _ms(begin, decoded),
            "latency_ms": _ms(ready, done),
            "write_ms": _ms(done, time.perf_counter()),
            "notes": (*picture.notes, *notes),
        },
    )


def _ms(begin: float, end: float) -> float:
    return round((end - begin) * 1000.0, 3)


@functools.lru_cache(maxsize=1)
def _sessions(order: Order) -> Any:
    """Return the sessions of a worker, which stay open from one picture to the next."""
    from edgesr.runtime.sessions import Sessions

    model = order.model
    if order.files:
        digest = hashlib.sha256(b"".join(content for _, content in order.files)).hexdigest()[:16]
        folder = Path(tempfile.mkdtemp(prefix=f"edgesr-{digest}-"))
        for name, content in order.files:
            (folder / name).write_bytes(content)
        model = str(folder / order.files[0][0])
    return Sessions(model, order.backend, order.scale, order.threads)
