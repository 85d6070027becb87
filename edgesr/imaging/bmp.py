"""BMP files, of Windows and of OS/2, decoded here (Microsoft's "Bitmap Storage").

OpenCV takes the palettes of OS/2, which have three bytes an entry, and masks of other widths than
five, six and eight bits for something else without a word.
"""

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesr.errors import ImageError
from edgesr.imaging.bmp_runs import unpack_runs
from edgesr.imaging.layers import Layers, Samples
from edgesr.imaging.limits import check_size
from edgesr.imaging.metadata import Density
from edgesr.imaging.palette import LACKING
from edgesr.imaging.png import DamagedError
from edgesr.imaging.png_chunks import INCH_M

_OS2_OLD, _OS2 = 12, (12, 16, 64)  # bytes of the headers of OS/2
_HEADERS = (*_OS2, 40, 52, 56, 108, 124)
_PLAIN, _RUNS_8, _RUNS_4, _MASKS, _ALPHA_MASKS = 0, 1, 2, 3, 6
_PACKINGS = {4: "JPEG data", 5: "PNG data"}
_PACKINGS_OS2 = {3: "Huffman coding", 4: "runs of 24 bits"}
_BITS = {_PLAIN: (1, 2, 4, 8, 16, 24, 32), _RUNS_8: (8,), _RUNS_4: (4,)}
_BITS |= dict.fromkeys((_MASKS, _ALPHA_MASKS), (16, 32))
_PLAIN_MASKS = {16: (0x7C00, 0x3E0, 0x1F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}
_EMBEDDED = b"DEBM"  # the profile's kind in a header of 124 bytes
_CONVERT = "convert it to PNG first"
_ROWS_PIXELS = 1 << 22  # unpacked at a time


@dataclass(frozen=True)
class Bmp:
    """What the headers of a BMP file say.

    Attributes:
        width: in pixels.
        height: in pixels.
        upwards: the last row comes first.
        bits: of a pixel.
        packing: how the pixels are stored, as the header numbers it.
        masks: the bits of red, green, blue and alpha in a pixel of 16 or 32 bits.
        palette: (entries, 3) RGB where a pixel is the number of one.
        pixels: where they begin in the file.
        density: on paper.
        icc: colour profile.
    """

    width: int
    height: int
    upwards: bool
    bits: int
    packing: int
    masks: tuple[int, int, int, int]
    palette: NDArray[np.uint8] | None
    pixels: int
    density: Density | None
    icc: bytes | None

    @property
    def line(self) -> int:
        """Bytes of a row that is not packed."""
        return (self.width * self.bits + 31) // 32 * 4


def read_bmp(data: bytes) -> Bmp:
    """Read and check the headers.

    Raises:
        DamagedError, struct.error: damaged or cut short.
        ImageError: more pixels than the limit, or a kind of pixels that is not read.
    """
    pixels, header = struct.unpack_from("<II", data, 10)
    if header not in _HEADERS:
        raise ImageError(f"BMP files with a header of {header} bytes are not read", fix=_CONVERT)
    old = header == _OS2_OLD
    width, height, _, bits = struct.unpack_from("<HHHH" if old else "<iiHH", data, 18)
    packing = struct.unpack_from("<I", data, 30)[0] if header >= 40 else _PLAIN
    used = struct.unpack_from("<I", data, 46)[0] if header >= 40 else 0
    check_size("BMP", width, abs(height))
    names = _PACKINGS_OS2 if header in _OS2 else _PACKINGS
    if packing in names:
        raise ImageError(f"BMP files with {names[packing]} inside are not read", fix=_CONVERT)
    if bits not in _BITS.get(packing, ()):
        if packing in _BITS:
            raise ImageError(f"BMP files of {bits} bits a pixel are not read", fix=_CONVERT)
        raise DamagedError
    entry = 3 if old else 4
    count = (used or 1 << bits) if bits <= 8 else 0
    masks_behind = 4 * {_MASKS: 3, _ALPHA_MASKS: 4}.get(packing, 0) if header == 40 else 0
    palette_at = 14 + header + masks_behind
    if not palette_at + entry * count <= pixels <= len(data):
        raise DamagedError  # its own header would be taken for pixels
    palette = None
    if bits <= 8:
        entries = np.frombuffer(data, np.uint8, entry * min(count, 1 << bits), palette_at)
        palette = np.ascontiguousarray(entries.reshape(-1, entry)[:, 2::-1])
    bmp = Bmp(
        width, abs(height), height > 0, bits, packing, _masks(data, header, packing, bits),
        palette, pixels, _density(data, header), _profile(data, header),
    )  # fmt: skip
    if packing not in (_RUNS_8, _RUNS_4) and pixels + bmp.line * bmp.height > len(data):
        raise DamagedError
    return bmp


def _masks(data: bytes, header: int, packing: int, bits: int) -> tuple[int, int, int, int]:
    if packing not in (_MASKS, _ALPHA_MASKS):
        return _PLAIN_MASKS.get(bits, (0, 0, 0, 0))
    red, green, blue, alpha = struct.unpack_from("<IIII", data, 54)
    masks = (red, green, blue, alpha if header >= 56 or packing == _ALPHA_MASKS else 0)
    if any(mask and mask & mask + (mask & -mask) for mask in masks):
        raise ImageError("BMP files with masks of bits that lie apart are not read", fix=_CONVERT)
    return masks


def _density(data: bytes, header: int) -> Density | None:
    across, down = struct.unpack_from("<ii", data, 38) if header >= 40 else (0, 0)
    return Density(across * INCH_M, down * INCH_M) if min(across, down) > 0 else None


def _profile(data: bytes, header: int) -> bytes | None:
    if header < 124 or data[70:74] != _EMBEDDED:
        return None
    at, size = struct.unpack_from("<II", data, 126)
    block = data[14 + at : 14 + at + size]
    return block if size and len(block) == size else None


def decode_bmp(data: bytes, bmp: Bmp) -> Layers:
    """Decode the pixels.

    Raises:
        DamagedError: runs that leave the picture, or end before it does.
        ImageError: runs that would take too long.
    """
    if bmp.palette is None:
        return _from_masks(_rows(data, bmp), bmp)
    if bmp.packing in (_RUNS_8, _RUNS_4):
        numbers = unpack_runs(memoryview(data)[bmp.pixels :], bmp.width, bmp.height, bmp.bits)
        numbers = numbers[::-1] if bmp.upwards else numbers
    else:
        numbers = _numbers(_rows(data, bmp), bmp)
    palette = np.zeros((1 << bmp.bits, 3), np.uint8)
    palette[: len(bmp.palette)] = bmp.palette
    grey = bool((bmp.palette == bmp.palette[:, :1]).all())
    lacking = numbers.max() >= len(bmp.palette)
    return Layers(palette[numbers], grey=grey, notes=(LACKING,) if lacking else ())


def _rows(data: bytes, bmp: Bmp) -> NDArray[np.uint8]:
    """Return the bytes of the rows (height, line) from top to bottom; a view."""
    block = np.frombuffer(data, np.uint8, bmp.line * bmp.height, bmp.pixels)
    rows = block.reshape(bmp.height, bmp.line)
    return rows[::-1] if bmp.upwards else rows


def _numbers(rows: NDArray[np.uint8], bmp: Bmp) -> NDArray[np.uint8]:
    """Return the number of each pixel's colour, packed from the highest bit."""
    each = 8 // bmp.bits
    if each == 1:
        return rows[:, : bmp.width]
    shifts = np.arange(each, dtype=np.uint8)[::-1] * np.uint8(bmp.bits)
    numbers = rows[:, :, None] >> shifts & np.uint8((1 << bmp.bits) - 1)
    return numbers.reshape(bmp.height, -1)[:, : bmp.width]


def _from_masks(rows: NDArray[np.uint8], bmp: Bmp) -> Layers:
    if bmp.bits == 24:
        bgr = rows[:, : 3 * bmp.width].reshape(*_shape(bmp), 3)
        return Layers(np.ascontiguousarray(bgr[:, :, ::-1]))
    deep = any(mask.bit_count() > 8 for mask in bmp.masks)
    kind = np.dtype(np.uint16 if deep else np.uint8)
    channels = 4 if bmp.masks[3] else 3
    result: Samples = np.zeros((*_shape(bmp), channels), kind)
    step = max(1, _ROWS_PIXELS // bmp.width)
    unused = False
    for top in range(0, bmp.height, step):
        part = np.ascontiguousarray(rows[top : top + step, : bmp.bits // 8 * bmp.width])
        values = part.view("<u2" if bmp.bits == 16 else "<u4")
        for channel, mask in enumerate(bmp.masks[:channels]):
            if mask:
                result[top : top + step, :, channel] = _scaled(values, mask, kind)
        if bmp.packing == _PLAIN and bmp.bits == 32:
            fourth = part[:, 3::4]
            unused |= bool(fourth.any()) and not bool((fourth == 255).all())
    notes = ("the fourth byte of its pixels, which has no meaning, was left out",) if unused else ()
    if channels == 3:
        return Layers(result, notes=notes)
    return Layers(np.ascontiguousarray(result[:, :, :3]), np.ascontiguousarray(result[:, :, 3]))


def _shape(bmp: Bmp) -> tuple[int, int]:
    return bmp.height, bmp.width


def _scaled(values: NDArray[Any], mask: int, kind: np.dtype[Any]) -> Samples:
    """Return the bits under a mask, the largest number becoming white."""
    shift = (mask & -mask).bit_length() - 1
    most, white = mask >> shift, int(np.iinfo(kind).max)
    found = (values & values.dtype.type(mask)) >> values.dtype.type(shift)
    scaled: Samples = np.rint(found * (white / most)).astype(kind)
    return scaled
