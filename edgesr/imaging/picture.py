"""A photograph in memory, and how it gets there from a file.

Depth is taken from the file and never guessed from the values: 8 bits stay 8 bits, 16 stay 16.
"""

import os
import re
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgesr.errors import ImageError
from edgesr.imaging.container import HEAD, Container, inspect, readable_kind
from edgesr.imaging.exif import for_new_size, orientation, upright
from edgesr.imaging.limits import check_file_size
from edgesr.imaging.quiet import captured_stderr

Samples = NDArray[np.unsignedinteger[Any]]

KEEPS_METADATA = hasattr(cv2, "imdecodeWithMetadata")  # opencv-python 4.13 and newer
_EXIF, _ICC = 0, 2  # cv2.IMAGE_METADATA_EXIF and _ICCP, which older versions lack

# Complaints that mean pixels are missing and were made up; others are harmless or remarks.
_MADE_UP = re.compile(
    r"premature end|TIFF_Error|libpng error|JPEG datastream contains no image|"
    r"Invalid SOS parameters|Inconsistent progression",
    re.I,
)
_TOO_LARGE = re.compile(r"CV_IO_MAX_IMAGE|exceeds user limit")
# libtiff 4.5 and newer compare a tile's bytes, which they read in units of 1024, with its pixels.
_TILE_BYTES = re.compile(r"Invalid tile byte count for tile \d+\. Expected (\d+), got (\d+)")
_REMARK = re.compile(r"^(Corrupt JPEG data: .*|Unknown Adobe color transform code .*)$", re.M)


@dataclass(frozen=True)
class Picture:
    """A decoded photograph, upright.

    Attributes:
        colour: (height, width, 3) RGB, uint8 or uint16, not multiplied by alpha.
        alpha: (height, width) of the same type, None if the file has no alpha channel.
        grey: the file holds grey values only; the three channels of `colour` are equal.
        exif: EXIF block, starting with its TIFF header; its orientation is 1.
        icc: colour profile in which the values are to be understood, None: sRGB.
        notes: what was lost in reading, one sentence each.
        kind: of the file, such as `JPEG`; None: it comes from no file.
        lossy: the file's compression changed the pixels.
    """

    colour: Samples
    alpha: Samples | None = None
    grey: bool = False
    exif: bytes | None = None
    icc: bytes | None = None
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
        """The largest value of the sample type, 255 or 65535."""
        return int(np.iinfo(self.colour.dtype).max)

    @property
    def is_opaque(self) -> bool:
        """Whether nothing shows through: no alpha channel, or white everywhere."""
        return self.alpha is None or bool((self.alpha == self.white).all())

    def band(self, rows: slice) -> "Picture":
        """Return some of the rows, with all that is said of the picture; views, not copies."""
        alpha = None if self.alpha is None else self.alpha[rows]
        return replace(self, colour=self.colour[rows], alpha=alpha)


def read_picture(path: Path) -> Picture:
    """Read a PNG, JPEG, WebP, TIFF or BMP file of 8 or 16 bits.

    Raises:
        ImageError: missing, a folder, empty, damaged, cut short or not such a picture.
    """
    try:
        return decode(_read_regular(path))
    except FileNotFoundError:
        raise ImageError("no such file", where=path) from None
    except OSError as error:
        raise ImageError(f"cannot be read ({error.strerror})", where=path) from error
    except ImageError as error:
        raise type(error)(error.what, where=path, fix=error.fix) from error


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
    pixels, exif, icc, remarks = _decode_pixels(container.still or data, container.kind)
    if pixels.dtype not in (np.uint8, np.uint16):
        raise ImageError(
            f"its samples are {pixels.dtype}, only 8 and 16 bit whole numbers are read",
            fix="convert it to an 8 or 16 bit PNG first",
        )
    if not container.turned:
        pixels = upright(pixels, orientation(exif))
    colour, alpha = _split(pixels, container)
    height, width = colour.shape[:2]
    return Picture(
        colour=colour,
        alpha=alpha,
        grey=pixels.ndim == 2 or container.grey_alpha,
        exif=None if exif is None else for_new_size(exif, width, height),
        icc=container.icc if icc is None else icc,
        notes=container.notes + remarks,
        kind=container.kind,
        lossy=container.lossy,
    )


def _decode_pixels(
    data: bytes, kind: str
) -> tuple[NDArray[Any], bytes | None, bytes | None, tuple[str, ...]]:
    """Return OpenCV's pixels as stored, EXIF, ICC and remarks."""
    block = np.frombuffer(data, np.uint8)
    found: dict[int, bytes] = {}
    failure = ""
    pixels: NDArray[Any] | None = None
    with captured_stderr() as complaints:
        try:
            if KEEPS_METADATA:
                pixels, types, values = cv2.imdecodeWithMetadata(block, cv2.IMREAD_UNCHANGED)
                found = {int(t): v.tobytes() for t, v in zip(types, values, strict=True)}
            else:
                pixels = _decode_without_metadata(block)
        except cv2.error as error:
            failure = str(error)
    if pixels is None or _MADE_UP.search(complaints.text):
        raise _refusal(kind, failure + complaints.text)
    remarks = tuple(_REMARK.findall(complaints.text))
    if not KEEPS_METADATA:
        remarks += (
            f"OpenCV {cv2.__version__} drops EXIF data and colour profiles; 4.13 keeps them",
        )
    exif = found.get(_EXIF)
    return pixels, exif and exif.removeprefix(b"Exif\0\0"), found.get(_ICC), remarks


def _refusal(kind: str, complaints: str) -> ImageError:
    """Return what is wrong with a picture that its decoder refused, by what it said."""
    if _TOO_LARGE.search(complaints):
        return ImageError(
            f"the {kind} picture is larger than OpenCV decodes (2^30 pixels, 2^20 a side)"
        )
    tile = _TILE_BYTES.search(complaints)
    if tile is not None and int(tile[2]) == -(-int(tile[1]) // 1024) * 1024:
        return ImageError(
            f"TIFF tiles of {tile[1]} bytes, no multiple of 1024, are not read",
            fix="convert it to PNG first",
        )
    return ImageError(f"the {kind} file is damaged or cut short")


def _decode_without_metadata(block: NDArray[np.uint8]) -> NDArray[Any] | None:
    """Decode where EXIF cannot be had; OpenCV applies the orientation, unless there is alpha.

    It does so only in the modes that drop alpha, and a picture with alpha is hardly a camera's.
    """
    pixels: NDArray[Any] | None = cv2.imdecode(block, cv2.IMREAD_UNCHANGED)
    if pixels is None or (pixels.ndim == 3 and pixels.shape[2] == 4):
        return pixels
    return cv2.imdecode(block, cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH)


def _split(pixels: NDArray[Any], container: Container) -> tuple[Samples, Samples | None]:
    """Return colour (height, width, 3) RGB and alpha (height, width) or None."""
    white = np.iinfo(pixels.dtype).max
    if pixels.ndim == 2:
        alpha = None
        if container.transparent_grey is not None:
            alpha = np.where(pixels == container.transparent_grey, 0, white).astype(pixels.dtype)
        return np.repeat(pixels[:, :, None], 3, axis=2), alpha
    colour = np.ascontiguousarray(pixels[:, :, 2::-1])
    if pixels.shape[2] == 3:
        return colour, None
    alpha = np.ascontiguousarray(pixels[:, :, 3])
    if container.kind == "BMP" and not alpha.any():
        return colour, None  # 32-bit BMP files leave the fourth byte unused
    if container.multiplied:
        straight = colour.astype(np.float64) * white / np.maximum(alpha, 1)[:, :, None]
        colour = np.minimum(np.rint(straight), white).astype(pixels.dtype)
    return colour, alpha
