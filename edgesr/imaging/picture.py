"""A photograph in memory, and how it gets there from a file.

Depth is taken from the file and never guessed from the values: 8 bits stay 8 bits, 16 stay 16.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgesr.errors import ImageError
from edgesr.imaging.container import HEAD, readable_kind
from edgesr.imaging.directory import read_directory
from edgesr.imaging.exif import for_new_size, stated_orientation, upright
from edgesr.imaging.layers import Samples
from edgesr.imaging.limits import check_file_size
from edgesr.imaging.metadata import NOTHING, Metadata, xmp_orientation
from edgesr.imaging.readers import inspect, reasons

__all__ = ["Picture", "Samples", "decode", "read_picture"]

UNREADABLE_EXIF = "its EXIF data cannot be read, so it is not known whether it lies on its side"
"""Note on a picture that was left as it is stored."""


@dataclass(frozen=True)
class Picture:
    """A decoded photograph, upright.

    Attributes:
        colour: (height, width, 3) RGB, uint8 or uint16, not multiplied by alpha; float32 in [0, 1]
            if it comes from no file and goes to none.
        alpha: (height, width) of the same type, None if the file has no alpha channel.
        grey: the file holds grey values only; the three channels of `colour` are equal.
        exif: EXIF block, starting with its TIFF header; its orientation is 1.
        icc: colour profile in which the values are to be understood, None: sRGB.
        metadata: what the file says of the picture beside these two.
        notes: what was lost in reading, one sentence each.
        kind: of the file, such as `JPEG`; None: it comes from no file.
        lossy: the file's compression changed the pixels.
    """

    colour: Samples
    alpha: Samples | None = None
    grey: bool = False
    exif: bytes | None = None
    icc: bytes | None = None
    metadata: Metadata = NOTHING
    notes: tuple[str, ...] = ()
    kind: str | None = None
    lossy: bool = False

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.colour.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.colour.shape[1])

    @property
    def white(self) -> int:
        """The value of white: 255, 65535, or 1 of floats."""
        return 1 if self.is_float else int(np.iinfo(self.colour.dtype).max)

    @property
    def is_float(self) -> bool:
        """Whether the samples are floats, which are not rounded."""
        return self.colour.dtype.kind == "f"

    @property
    def is_opaque(self) -> bool:
        """Whether nothing shows through: no alpha channel, or white everywhere."""
        return self.alpha is None or bool((self.alpha == self.white).all())

    def band(self, rows: slice) -> "Picture":
        """Return some of the rows, with all that is said of the picture; views, not copies."""
        alpha = None if self.alpha is None else self.alpha[rows]
        return replace(self, colour=self.colour[rows], alpha=alpha)


def read_picture(path: Path) -> Picture:
    """Read a picture file of one of the kinds in `container.READ`.

    Raises:
        ImageError: missing, a folder, empty, damaged, cut short or not such a picture.
    """
    with reading(path):
        return decode(_read_regular(path))


def read_content(path: Path) -> bytes:
    """Read the content of a picture file, for `decode`.

    Raises:
        ImageError: missing, a folder, longer than any picture, or by its first bytes none.
    """
    with reading(path):
        return _read_regular(path)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Say of what file an error in the block is, and in words why it cannot be read.

    Raises:
        ImageError: it is missing or cannot be read, or the block raised one.
    """
    try:
        yield
    except FileNotFoundError:
        raise ImageError("no such file", where=path) from None
    except OSError as error:
        raise ImageError(f"cannot be read ({error.strerror})", where=path) from error
    except ImageError as error:
        raise error.at(path) from error


def _read_regular(path: Path) -> bytes:
    """Read a file, never a pipe or a device, which may have no end or nobody at the other one.

    Raises:
        ImageError: it is something else than a file of a picture; without a place.
        OSError: it cannot be read.
    """
    # Without O_NONBLOCK the opening of a pipe waits for its writer.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(handle)
        if stat.S_ISDIR(status.st_mode):
            raise ImageError("a folder, not a picture")
        if not stat.S_ISREG(status.st_mode):
            raise ImageError("neither a file nor a link to one")
        check_file_size(status.st_size)
        with os.fdopen(handle, "rb", closefd=False) as file:
            head = file.read(HEAD)
            if head:
                readable_kind(head)  # before all of a film, say, is read
            return head + file.read()
    finally:
        os.close(handle)


def decode(data: bytes) -> Picture:
    """Decode the content of a picture file.

    Raises:
        ImageError: as `read_picture`, without a place.
    """
    if not data:
        raise ImageError("the file is empty")
    container = inspect(data)
    with reasons(container.kind):
        stored = container.decode()
    unreadable = container.exif is not None and read_directory(container.exif) is None
    metadata, turned = container.metadata, stated_orientation(container.exif)
    if turned is None:
        turned = xmp_orientation(metadata.xmp)
    colour = upright(stored.colour, turned)
    height, width = colour.shape[:2]
    size = width, height
    metadata = metadata.turned_upright(turned).for_new_size(size, size)
    return Picture(
        colour=colour,
        alpha=None if stored.alpha is None else upright(stored.alpha, turned),
        grey=stored.grey,
        exif=None if container.exif is None else for_new_size(container.exif, width, height),
        icc=container.icc,
        metadata=metadata,
        notes=container.notes + stored.notes + ((UNREADABLE_EXIF,) if unreadable else ()),
        kind=container.kind,
        lossy=container.lossy,
    )
