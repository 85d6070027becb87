"""From what a caller gives to a picture that fits the caller's file."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from edgesr.errors import Argument, ConfigError, ImageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgesr.imaging.background import Colour
    from edgesr.imaging.encode import FileFormat
    from edgesr.imaging.picture import Picture

    Array: TypeAlias = NDArray[Any]


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
    from edgesr.imaging.encode import format_of_path

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
    kind = format_of_path(output)
    if file is not None and output.exists() and output.samefile(file):
        raise ConfigError("the result would replace the picture itself", where=output)
    if os.path.lexists(output) and not overwrite:
        raise ConfigError("is there already", where=output, fix=Argument("overwrite", True))
    return kind


def fitted(
    picture: "Picture", scale: float, kind: "FileFormat", background: "Colour | None", where: object
) -> "Picture":
    """Return the picture to enlarge, without alpha where the format of the result has none.

    Args:
        picture: as it was read.
        scale: output side over input side.
        kind: format of the result.
        background: what shows through transparent parts; None: nothing was named.
        where: the file or the argument that the picture comes from.

    Raises:
        ImageError: the format has no alpha channel and there is no background, or it ends at
            smaller pictures.
    """
    from edgesr.imaging.background import fit_alpha
    from edgesr.imaging.encode import check_fits

    try:
        picture = fit_alpha(picture, kind, background)
        check_fits(picture, scale, kind)
    except ImageError as error:
        raise error.at(where) from None
    return picture
