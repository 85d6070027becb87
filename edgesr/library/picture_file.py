"""From what a caller gives to a picture, and from a picture to the caller's file."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from edgesr.errors import Argument, ConfigError, ImageError
from edgesr.files import make_folder, write_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgesr.imaging.encode import FileFormat
    from edgesr.imaging.picture import Picture
    from edgesr.runtime.photograph import Enlarged
    from edgesr.runtime.session import Session

    Array: TypeAlias = NDArray[Any]

T = TypeVar("T")

DEFAULT_QUALITY = 95
"""Quality of a JPEG or WebP file, from 1 to 100."""


def read(picture: "Array | str | Path") -> "Picture":
    """Return the picture of a file or an array.

    Raises:
        ImageError: it cannot be read, or is no picture.
    """
    import numpy as np

    from edgesr.imaging.array import picture_of
    from edgesr.imaging.picture import read_picture

    if isinstance(picture, (str, Path)):
        return read_picture(Path(picture))
    if not isinstance(picture, np.ndarray):
        raise ImageError(
            f"a {type(picture).__name__} is neither a file nor an array", where=Argument("picture")
        )
    return picture_of(picture)


def format_of(
    output: Path, picture: "Picture", file: Path | None, overwrite: bool, quality: int
) -> "FileFormat":
    """Return the format of a result, before the work for it begins.

    Args:
        output: the result.
        picture: what is enlarged.
        file: where it comes from; None: it was an array.
        overwrite: whether a file that is there may be replaced.
        quality: of the result, if its format loses any.

    Raises:
        ConfigError: its ending names no format, it is there already, it is the picture itself, or
            there is no such quality.
        ImageError: an array of floats has no file format.
    """
    from edgesr.imaging.encode import format_for

    if not 1 <= quality <= 100:
        raise ConfigError(
            f"a quality lies from 1 to 100, not at {quality}", where=Argument("quality")
        )
    if picture.is_float:
        raise ImageError(
            "floats cannot be written to a file without a choice of depth",
            where=Argument("picture"),
            fix="numpy.rint(255 * picture).astype(numpy.uint8)",
        )
    kind = format_for(output.suffix)
    if file is not None and output.exists() and output.samefile(file):
        raise ConfigError("the result would replace the picture itself", where=output)
    if os.path.lexists(output) and not overwrite:
        raise ConfigError("is there already", where=output, fix=Argument("overwrite", True))
    return kind


def write(
    picture: "Picture", output: Path, kind: "FileFormat", quality: int, make_folders: bool
) -> tuple[str, ...]:
    """Write a picture, atomically, and return what its file could not keep.

    Raises:
        ConfigError: the file cannot be written there.
        EdgesrError: the disk is full.
        ImageError: the picture cannot be written in this format.
    """
    from edgesr.imaging.encode import encode

    data, notes = encode(picture, kind, quality)
    if make_folders:
        make_folder(output.parent)
    write_bytes(output, data)
    return notes


def seams(session: "Session", picture: "Picture", made: "Enlarged") -> float:
    """Return how much rougher a result is across its tile borders; see runtime/check.py."""
    from edgesr.runtime.check import check_seams

    return check_seams(session, picture, made)


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """Return what a piece of work gives and the milliseconds that it took."""
    start = time.perf_counter()
    result = work()
    return result, round((time.perf_counter() - start) * 1000.0, 3)
