"""Segments of a TIFF file that are pictures of another kind: JPEG, WebP, JPEG 2000 and the like.

Each states its own size, which must fit its place before more than that is decoded.
"""

import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesr.errors import ImageError
from edgesr.imaging import tiff as tags
from edgesr.imaging.jpeg import read_jpeg
from edgesr.imaging.jxl_decoder import HEADER_BYTES, Decoder
from edgesr.imaging.opencv import decode_samples
from edgesr.imaging.png import DamagedError, read_png
from edgesr.imaging.tiff import Tiff
from edgesr.imaging.tiff_room import Room
from edgesr.imaging.webp import read_webp

_ADOBE = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00"  # and 0 for RGB, 1 for YCbCr
_MOST_TABLES = 1 << 16
_JXL_BYTES_PER_SAMPLE = 24  # of memory, as in a file of its own
_J2K_START, _J2K_END, _J2K_STYLE = b"\xff\x4f\xff\x51", b"\xff\xd9", 0xFF52
_J2K_TILES = 4096  # each takes some kilobytes of memory before it is decoded
_LERC, _LERC_PLAIN, _LERC_DEFLATE, _LERC_ZSTD = b"Lerc2 ", 0, 1, 2
_LERC_PARAMETERS = 50674
_LERC_ROOM = 1 << 16  # bytes that a segment may take beside its samples


Remarked = tuple[NDArray[Any], tuple[str, ...]]
"""Pixels (rows, width, samples), and what their decoder had to remark, one sentence each."""


def picture_segment(
    tiff: Tiff,
) -> Callable[[bytes, int], tuple[NDArray[Any], tuple[int, ...], tuple[str, ...]]]:
    """Return what unpacks the segments of a picture whose compression is that of a picture.

    Raises:
        ImageError: its samples are none that this compression is read with.
    """
    planes = 1 if tiff.apart else tiff.samples
    letter = {tags.SIGNED: "i", tags.FLOAT: "f"}.get(tiff.format, "u")
    across = tiff.directory.number(tags.TILE_WIDTH) if tiff.tiled else tiff.width
    down = tiff.directory.number(tags.TILE_HEIGHT if tiff.tiled else tags.ROWS_PER_STRIP)
    width, rows = across or tiff.width, down or tiff.height
    if not tiff.tiled:
        rows = min(rows, tiff.height)
    room = Room(width, rows, planes, np.dtype(f"{letter}{tiff.bits // 8}"))
    decode = _DECODERS[tiff.compression](tiff, room)
    in_a_row = -(-tiff.width // width)
    in_a_plane = in_a_row * -(-tiff.height // rows)

    def unpack(block: bytes, number: int) -> tuple[NDArray[Any], tuple[int, ...], tuple[str, ...]]:
        plane, inside = divmod(number, in_a_plane)
        down, across = divmod(inside, in_a_row)
        part, remarks = decode(block)
        needed = min(rows, tiff.height - down * rows), min(width, tiff.width - across * width)
        if part.shape[0] < needed[0] or part.shape[1] < needed[1] or part.shape[2] != planes:
            raise DamagedError
        if part.dtype != room.dtype:
            raise DamagedError
        return part[None, :rows, :width], (plane, 0, down * rows, across * width), remarks

    return unpack


def has_lossy_segments(data: bytes, tiff: Tiff) -> bool:
    """Tell by its first segment whether the compression of a TIFF file changed its pixels."""
    at, size = tiff.segments[0]
    block = data[at : at + size]
    if tiff.compression == tags.JPEG_XL:
        try:
            with Decoder(block) as decoder:
                return not decoder.info().uses_original_profile
        except DamagedError:
            return False  # it is told when the pixels are read
    if tiff.compression == tags.JPEG_2000:
        return _is_irreversible(block)
    return tiff.compression == tags.JPEG or (
        tiff.compression == tags.WEBP and b"VP8 " in block[12:64]
    )


def _is_irreversible(block: bytes) -> bool:
    """Tell whether a codestream states the 9-7 wavelet (ITU-T T.800, A.6.1)."""
    at = 2
    while at + 14 <= len(block):
        marker, size = struct.unpack_from(">HH", block, at)
        if marker == _J2K_STYLE:
            return block[at + 13] == 0
        at += 2 + size
    return False


def _jpeg(tiff: Tiff, room: Room) -> Callable[[bytes], Remarked]:
    """Return what decodes JPEG files without their tables (TIFF Note 2)."""
    _only(room, "JPEG", (1, 3))
    tables = tiff.directory.block(tags.JPEG_TABLES, _MOST_TABLES) or b"\xff\xd8\xff\xd9"
    transform = b"\1" if tiff.photometric == tags.YCBCR else b"\0"
    if tables[:2] != b"\xff\xd8" or tables[-2:] != b"\xff\xd9":
        raise DamagedError
    head = tables[:-2] + (_ADOBE + transform if room.samples == 3 else b"")

    def decode(block: bytes) -> Remarked:
        if block[:2] != b"\xff\xd8":
            raise DamagedError
        jpeg = head + block[2:]
        found = read_jpeg(jpeg)
        room.check(found.width, found.height, found.components)
        return _by_opencv(jpeg)

    return decode


def _only(room: Room, kind: str, samples: tuple[int, ...]) -> None:
    """Refuse a number of samples that a kind is not read with.

    Raises:
        ImageError: it is another one.
    """
    if room.samples not in samples:
        raise ImageError(
            f"TIFF pictures of {room.samples} samples in {kind} are not read",
            fix="convert it to PNG first",
        )


def _by_opencv(data: bytes) -> Remarked:
    pixels, remarks = decode_samples(data, "TIFF")
    if pixels.ndim == 2:
        return pixels[:, :, None], remarks
    return pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]], remarks


def _webp(tiff: Tiff, room: Room) -> Callable[[bytes], Remarked]:
    """Return what decodes WebP files, which leave an alpha out that is opaque."""
    _only(room, "WebP", (3, 4))

    def decode(block: bytes) -> Remarked:
        if block[:4] != b"RIFF" or block[8:12] != b"WEBP":
            raise DamagedError
        try:
            found = read_webp(block)
        except (struct.error, IndexError):
            raise DamagedError from None
        room.check(*found.size, room.samples)
        if found.frames:
            raise DamagedError
        pixels, remarks = _by_opencv(found.still)
        if pixels.shape[2] < room.samples:
            opaque = np.full((*pixels.shape[:2], 1), 255, np.uint8)
            pixels = np.concatenate([pixels, opaque], axis=2)
        return pixels, remarks

    return decode


def _png(tiff: Tiff, room: Room) -> Callable[[bytes], Remarked]:
    """Return what decodes PNG files."""
    _only(room, "PNG", (1, 3, 4))

    def decode(block: bytes) -> Remarked:
        if block[:8] != b"\x89PNG\r\n\x1a\n":
            raise DamagedError
        width, rows = struct.unpack_from(">II", block, 16)
        room.check(width, rows, room.samples)
        png = read_png(block)
        if (png.colour, png.depth) != ({1: 0, 3: 2, 4: 6}[room.samples], 8 * room.dtype.itemsize):
            raise DamagedError
        return _by_opencv(png.still)

    return decode


def _jpeg_xl(tiff: Tiff, room: Room) -> Callable[[bytes], Remarked]:
    """Return what decodes JPEG XL files."""
    most = HEADER_BYTES + _JXL_BYTES_PER_SAMPLE * room.width * room.rows * room.samples

    def decode(block: bytes) -> Remarked:
        with Decoder(block, most) as decoder:
            info = decoder.info()
            samples = info.colour_channels + (info.alpha_bits > 0)
            room.check(info.xsize, info.ysize, samples)
            decoder.colours(info)
            return decoder.pixels(info), ()

    return decode


def _jpeg_2000(tiff: Tiff, room: Room) -> Callable[[bytes], Remarked]:
    """Return what decodes codestreams of JPEG 2000 (ITU-T T.800, A.5.1)."""

    def decode(block: bytes) -> Remarked:
        if block[:4] != _J2K_START:
            raise DamagedError
        right, bottom, left, top, tile_w, tile_h, _, _, samples = struct.unpack_from(
            ">8IH", block.ljust(42, b"\0"), 8
        )
        room.check(right - left, bottom - top, samples)
        if not block.rstrip(b"\0").endswith(_J2K_END):
            raise DamagedError  # it was cut, and the decoder would make up what is missing
        if not tile_w or not tile_h or -(-right // tile_w) * -(-bottom // tile_h) > _J2K_TILES:
            raise DamagedError
        return _by_imagecodecs("jpeg2k", block), ()

    return decode


def _lerc(tiff: Tiff, room: Room) -> Callable[[bytes], Remarked]:
    """Return what decodes LERC blobs, which may be packed once more (its tag 50674)."""
    packing = (*tiff.directory.numbers(_LERC_PARAMETERS), 0, 0)[1]
    most = room.width * room.rows * room.samples * room.dtype.itemsize + _LERC_ROOM

    def decode(block: bytes) -> Remarked:
        if packing == _LERC_DEFLATE:
            block = zlib.decompressobj().decompress(block, most)
        elif packing == _LERC_ZSTD:
            block = _unzstd(block, most)
        elif packing != _LERC_PLAIN:
            raise DamagedError
        if block[:6] != _LERC:
            raise DamagedError
        (version,) = struct.unpack_from("<i", block.ljust(30, b"\0"), 6)
        at = 10 if version < 3 else 14  # a checksum came in between
        rows, width, samples = struct.unpack_from("<3i", block.ljust(30, b"\0"), at)
        room.check(width, rows, samples if version >= 4 else 1)
        return _by_imagecodecs("lerc", block), ()

    return decode


def _unzstd(block: bytes, most: int) -> bytes:
    import imagecodecs

    try:
        return bytes(imagecodecs.zstd_decode(block, out=most))
    except (imagecodecs.ZstdError, ValueError, RuntimeError):
        raise DamagedError from None


def _by_imagecodecs(name: str, block: bytes) -> NDArray[Any]:
    """Decode a picture whose size was checked.

    Raises:
        ImageError: this imagecodecs was built without the codec.
        DamagedError: it refuses.
    """
    import imagecodecs

    codec = getattr(imagecodecs, name.upper())
    if not codec.available:
        raise ImageError(
            f"this installation does not unpack {name} in TIFF files",
            fix="pip install -U imagecodecs",
        )
    try:
        pixels = np.asarray(getattr(imagecodecs, f"{name}_decode")(block))
    except MemoryError:
        raise
    except Exception:  # each codec has an error of its own
        raise DamagedError from None
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


_DECODERS = {
    tags.JPEG: _jpeg,
    tags.WEBP: _webp,
    tags.PNG: _png,
    tags.JPEG_XL: _jpeg_xl,
    tags.JPEG_2000: _jpeg_2000,
    tags.LERC: _lerc,
}
