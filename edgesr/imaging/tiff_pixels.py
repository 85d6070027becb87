"""The samples of a TIFF picture: segments unpacked by tifffile, pictures and fax as such.

tifffile is shown a file of nothing but the tags that say how the pixels are stored, so no other tag
of a stranger's file reaches its many readers of private formats. Each segment is unpacked on its
own, into no more room than its pixels take, and must fill it.
"""

import io
import logging
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesr.errors import ImageError
from edgesr.imaging import tiff as tags
from edgesr.imaging.directory import Entry, write_directory
from edgesr.imaging.opencv import decode_samples
from edgesr.imaging.png import DamagedError
from edgesr.imaging.tiff import Tiff
from edgesr.imaging.tiff_pictures import picture_segment

_STORAGE = (
    *(tags.WIDTH, tags.HEIGHT, tags.BITS, tags.COMPRESSION, tags.PHOTOMETRIC, tags.FILL_ORDER),
    *(tags.STRIP_OFFSETS, tags.SAMPLES, tags.ROWS_PER_STRIP, tags.STRIP_BYTES, tags.PLANAR),
    *(tags.PREDICTOR, tags.TILE_WIDTH, tags.TILE_HEIGHT, tags.TILE_OFFSETS, tags.TILE_BYTES),
    *(tags.EXTRA_SAMPLES, tags.SAMPLE_FORMAT, 292),
)
_FAX = (2, 3, 4)  # CCITT's codings of black and white

Segment = Callable[[bytes, int], tuple[NDArray[Any], tuple[int, ...], tuple[str, ...]]]
"""Unpacks the n-th segment, (1, rows, columns, samples); it lies at plane, 0, row, column.

Beside it and its place it returns what its decoder had to remark, one sentence each.
"""


def read_tiff_samples(data: bytes, tiff: Tiff) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Unpack a picture.

    Args:
        data: the file.
        tiff: what its directory states.

    Returns:
        Samples (height, width, samples), as stored, in the machine's byte order; and the remarks of
        the first segment that had any.

    Raises:
        DamagedError: a segment is broken or too short.
        ImageError: the installed packages do not unpack this compression.
    """
    if tiff.compression in _FAX:
        return _fax(data, tiff), ()
    is_picture = tiff.compression in tags.PICTURE_BITS
    unpack: Segment = picture_segment(tiff) if is_picture else _segment(tiff)
    result: NDArray[Any] | None = None
    notes: tuple[str, ...] = ()
    for number, (at, size) in enumerate(tiff.segments):
        part, (plane, _, row, column, *_), remarks = unpack(data[at : at + size], number)
        notes = notes or remarks
        part = part.view(np.uint8) if part.dtype == np.bool_ else part
        if result is None:
            result = np.empty((tiff.height, tiff.width, tiff.samples), part.dtype)
        rows = min(part.shape[1], tiff.height - row)
        columns = min(part.shape[2], tiff.width - column)
        place = result[row : row + rows, column : column + columns]
        if tiff.apart:
            place[:, :, plane] = part[0, :rows, :columns, 0]
        else:
            place[:] = part[0, :rows, :columns]
    if result is None:
        raise DamagedError
    return result, notes


def _fax(data: bytes, tiff: Tiff) -> NDArray[Any]:
    """Decode black and white by OpenCV's libtiff, since only that tells of words that are no code.

    It sees the file with a directory of the storage tags alone, else it would turn the picture.
    """
    if tiff.bits != 1 or tiff.samples != 1 or tiff.photometric == tags.PALETTE:
        raise ImageError(
            "TIFF pictures in fax coding are read in black and white only",
            fix="convert it to PNG first",
        )
    at = len(data) + len(data) % 2
    order, big = tiff.directory.order, tiff.directory.big
    letter, place = ("Q", 8) if big else ("I", 4)
    start = data[:place] + struct.pack(f"{order}{letter}", at)
    directory = write_directory(_storage(tiff), at, order, big)
    file = b"".join([start, data[len(start) :], bytes(len(data) % 2), directory])
    pixels, _ = decode_samples(file, "TIFF")
    if pixels.shape != (tiff.height, tiff.width):
        raise DamagedError
    white = pixels > 127
    return np.asarray(white != (tiff.photometric == tags.WHITE_IS_ZERO), np.uint8)[:, :, None]


def _segment(tiff: Tiff) -> Segment:
    from tifffile import TiffFile

    logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)  # it is we who say what is wrong
    try:
        with TiffFile(io.BytesIO(_only_storage(tiff))) as file:
            decode = file.pages[0].decode
    except MemoryError:
        raise
    except Exception as error:  # whatever it makes of tags that contradict each other
        raise DamagedError from error

    def unpack(block: bytes, number: int) -> tuple[NDArray[Any], tuple[int, ...], tuple[str, ...]]:
        try:
            part, place, shape = decode(block, number)
        except (MemoryError, NotImplementedError, ImportError):
            raise
        except Exception as error:  # each codec has an error of its own
            if "requires the 'imagecodecs' package" in str(error):
                raise _not_unpacked(tiff) from None
            raise DamagedError from None
        if part is None or part.shape[0] != 1 or part.shape[3] != shape[3]:
            raise DamagedError
        whole = min(shape[1], tiff.height - place[2]), min(shape[2], tiff.width - place[3])
        if part.shape[1] < whole[0] or part.shape[2] < whole[1]:
            raise DamagedError
        return part, place, ()

    return unpack


def _not_unpacked(tiff: Tiff) -> ImageError:
    return ImageError(
        f"this installation does not unpack TIFF compression {tiff.compression}",
        fix="pip install -U imagecodecs",
    )


def _only_storage(tiff: Tiff) -> bytes:
    """Return a TIFF file of the tags that say how the pixels are stored, without pixels."""
    directory = tiff.directory
    entries = _storage(tiff)
    mark = b"II" if directory.order == "<" else b"MM"
    if directory.big:
        head = mark + struct.pack(f"{directory.order}HHHQ", 43, 8, 0, 16)
    else:
        head = mark + struct.pack(f"{directory.order}HI", 42, 8)
    return head + write_directory(entries, len(head), directory.order, directory.big)


def _storage(tiff: Tiff) -> list[Entry]:
    fields = ((tag, tiff.directory.fields.get(tag)) for tag in _STORAGE)
    return [Entry(tag, field.kind, bytes(field.value)) for tag, field in fields if field]
