"""Whether the strips or tiles of a TIFF file can hold the picture that its directory states."""

from math import ceil

from edgesr.errors import ImageError
from edgesr.imaging.exif import Directory

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES = 256, 257, 258, 259, 277
_STRIP_OFFSETS, _ROWS_PER_STRIP, _STRIP_BYTES, _PLANAR = 273, 278, 279, 284
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_BYTES = 322, 323, 324, 325
_PHOTOMETRIC, _YCBCR = 262, 6
_TILE_PIXELS = 1 << 24  # a tile may also be as large as its picture
_STRUCTURE = (
    *(_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _PLANAR),
    *(_STRIP_OFFSETS, _ROWS_PER_STRIP, _STRIP_BYTES),
    *(_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_BYTES),
)


def size_of(directory: Directory) -> tuple[int, int]:
    """Return width and height in pixels, 0 where they are not stated."""
    return directory.number(_WIDTH) or 0, directory.number(_HEIGHT) or 0


def is_whole(directory: Directory, length: int) -> bool:
    """Tell whether every strip or tile is named, lies in the file, and is long enough.

    The length is known only where they are not compressed.

    Args:
        directory: of the picture.
        length: of the file in bytes.

    Raises:
        ImageError: tiles so much larger than the picture that they only take memory.
    """
    if not all(map(directory.is_number, _STRUCTURE)):
        return False  # the decoder may understand them, and else than we do
    width, height = size_of(directory)
    samples = directory.number(_SAMPLES) or 1
    apart = directory.number(_PLANAR) == 2
    tiled = _TILE_OFFSETS in directory.fields
    if tiled:
        across, down = directory.number(_TILE_WIDTH) or 0, directory.number(_TILE_HEIGHT) or 0
        if not across or not down:
            return False
        if across * down > max(_TILE_PIXELS, 4 * width * height):
            raise ImageError(
                f"TIFF tiles of {across}x{down} pixels are not read in a picture of "
                f"{width}x{height}",
                fix="convert it to PNG first",
            )
        parts = ceil(width / across) * ceil(height / down)
        offsets, sizes = directory.numbers(_TILE_OFFSETS), directory.numbers(_TILE_BYTES)
    else:
        across, down = width, min(directory.number(_ROWS_PER_STRIP) or height, height)
        parts = ceil(height / down)
        offsets, sizes = directory.numbers(_STRIP_OFFSETS), directory.numbers(_STRIP_BYTES)
    planes = samples if apart else 1
    if not sizes and parts * planes == 1 and offsets:
        sizes = (length - offsets[0],)  # old writers leave it out for a single strip
    if not len(offsets) == len(sizes) == parts * planes:
        return False  # before a list is made of them: a header may ask for billions
    last = down if tiled else height - down * (parts - 1)
    lines = [*[down] * (parts - 1), last] * planes
    bits = (directory.number(_BITS) or 1) * (1 if apart else samples)
    plain = directory.number(_COMPRESSION) in (None, 1)
    plain = plain and directory.number(_PHOTOMETRIC) != _YCBCR  # its samples are shared by pixels
    line = (across * bits + 7) // 8 if plain else 0
    return all(
        at >= 8 and 0 < size <= length - at and size >= line * rows
        for at, size, rows in zip(offsets, sizes, lines, strict=True)
    )
