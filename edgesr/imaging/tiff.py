"""The first directory of a TIFF file: what it states, and whether it can be what it states.

Everything is checked here, on the file's own bytes, before a decoder sees any of it.
"""

from dataclasses import dataclass
from math import ceil

from edgesr.errors import ImageError
from edgesr.imaging.directory import Directory, read_directory
from edgesr.imaging.exif import ORIENTATION
from edgesr.imaging.limits import check_size
from edgesr.imaging.png import DamagedError

# TIFF 6.0 tags
SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER = (
    254,
    256,
    257,
    258,
    259,
    262,
    266,
)
STRIP_OFFSETS, SAMPLES, ROWS_PER_STRIP, STRIP_BYTES, PLANAR, PREDICTOR = (
    273,
    277,
    278,
    279,
    284,
    317,
)
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_BYTES = 322, 323, 324, 325
COLOUR_MAP, INK_SET, EXTRA_SAMPLES, SAMPLE_FORMAT, JPEG_TABLES = 320, 332, 338, 339, 347
_MAKE, _SUB_DIRECTORIES, _DNG_VERSION = 271, 330, 50706

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR = 0, 1, 2, 3, 5, 6
"""Photometric interpretations that are read."""
ALPHA_MULTIPLIED, ALPHA_STRAIGHT = 1, 2
"""Meanings of an extra sample."""
UNSIGNED, SIGNED, FLOAT, UNTYPED = 1, 2, 3, 4
"""Formats of samples."""
JPEG, JPEG_2000, LERC, PNG, WEBP, JPEG_XL = 7, 34712, 34887, 34933, 50001, 50002
"""Compressions whose segments are pictures of another kind."""
PICTURE_BITS = {JPEG: {8}, WEBP: {8}, PNG: {8, 16}, JPEG_2000: {8, 16}, JPEG_XL: {8, 16}}
PICTURE_BITS |= {LERC: {8, 16, 32, 64}}
"""Bits of a sample that each of them is read with."""

COLOURS = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, PALETTE: 1, CMYK: 4, YCBCR: 3}
_NOT_READ = {4: "mask", 8: "CIE L*a*b*", 9: "ICC L*a*b*", 10: "ITU L*a*b*", 32844: "CIE Log L"}
_NOT_READ |= {32845: "CIE Log Luv"}
_SENSOR = (32803, 34892)  # colour filter array, linear raw
_COMPRESSIONS = {1, 2, 3, 4, 5, 8, 32773, 32946, 34925, 50000, *PICTURE_BITS}
_NOT_UNPACKED = {6: "old JPEG", 34661: "JBIG", 34892: "lossy JPEG", 34934: "JPEG XR"}
_NOT_UNPACKED |= {32809: "ThunderScan", 32766: "NeXT", 34676: "SGI LogLuv", 34677: "SGI LogLuv"}
_DEPTHS = {UNSIGNED: {*range(1, 17), 32}, SIGNED: {8, 16, 32}, FLOAT: {16, 32, 64}}
_DEPTHS[UNTYPED] = _DEPTHS[UNSIGNED]
_RAW_MAKERS = {"NIKON": "NEF", "SONY": "ARW", "CANON": "CR2", "PENTAX": "PEF", "SAMSUNG": "SRW"}
_REDUCED = 1
_TILE_PIXELS = 1 << 24  # a tile may also be as large as its picture
_STRUCTURE = (
    *(WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, SAMPLES, PLANAR, FILL_ORDER, PREDICTOR),
    *(STRIP_OFFSETS, ROWS_PER_STRIP, STRIP_BYTES, EXTRA_SAMPLES, SAMPLE_FORMAT, COLOUR_MAP),
    *(TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_BYTES, INK_SET, ORIENTATION),
)
_SINGLE = (
    *(WIDTH, HEIGHT, COMPRESSION, PHOTOMETRIC, FILL_ORDER, SAMPLES, ROWS_PER_STRIP, PLANAR),
    *(PREDICTOR, TILE_WIDTH, TILE_HEIGHT, ORIENTATION),
)
_CONVERT = "convert it to an 8 or 16 bit RGB PNG first"


@dataclass(frozen=True)
class Tiff:
    """A picture as its directory states it.

    Attributes:
        directory: all of its tags.
        width: in pixels.
        height: in pixels.
        bits: of every sample.
        format: of every sample, such as `UNSIGNED`.
        samples: of a pixel.
        photometric: what the first `COLOURS[photometric]` of them mean.
        extra: what the others mean.
        compression: of the segments.
        apart: each sample has a plane of its own.
        segments: (offset, length) of every strip or tile.
    """

    directory: Directory
    width: int
    height: int
    bits: int
    format: int
    samples: int
    photometric: int
    extra: tuple[int, ...]
    compression: int
    apart: bool
    segments: tuple[tuple[int, int], ...]

    @property
    def tiled(self) -> bool:
        """Whether its segments are tiles."""
        return TILE_OFFSETS in self.directory.fields


def read_tiff(data: bytes) -> Tiff:
    """Read and check the first directory of a file.

    Raises:
        DamagedError: damaged or cut short.
        ImageError: a RAW file, more pixels than the limit, or of a kind that is not read.
    """
    directory = read_directory(data)
    if directory is None:
        raise DamagedError
    _check_not_raw(data, directory)
    width, height = directory.number(WIDTH) or 0, directory.number(HEIGHT) or 0
    check_size("TIFF", width, height)
    if not directory.lost.isdisjoint(_STRUCTURE):
        raise DamagedError  # its default would be taken in its place
    if not all(map(directory.is_number, _STRUCTURE)):
        raise DamagedError  # the decoder may understand them, and else than we do
    if any(directory.fields[tag].count != 1 for tag in _SINGLE if tag in directory.fields):
        raise DamagedError
    if directory.number(PLANAR) not in (None, 1, 2) or directory.number(FILL_ORDER) not in (
        None,
        1,
        2,
    ):
        raise DamagedError
    compression = directory.number(COMPRESSION)
    if compression is None:
        raise DamagedError  # no writer leaves it out
    if compression not in _COMPRESSIONS:
        name = _NOT_UNPACKED.get(compression, f"kind {compression}")
        raise ImageError(f"TIFF pictures of {name} compression are not read", fix=_CONVERT)
    photometric = _photometric(directory, compression)
    samples = directory.number(SAMPLES) or 1
    colours = COLOURS[photometric]
    if samples < colours:
        raise DamagedError
    bits, kind = _depth(directory, photometric)
    palette = len(directory.numbers(COLOUR_MAP)) if photometric == PALETTE else 0
    if photometric == PALETTE and palette != 3 << bits:
        raise DamagedError
    extra = directory.numbers(EXTRA_SAMPLES)
    if EXTRA_SAMPLES not in directory.fields and photometric == RGB and samples == 4:
        extra = (ALPHA_STRAIGHT,)  # older writers do not say what a fourth sample is
    segments = _segments(directory, len(data), bits)
    return Tiff(
        directory, width, height, bits, kind, samples, photometric,
        (*extra, *[0] * (samples - colours))[: samples - colours],
        compression, directory.number(PLANAR) == 2 and samples > 1, segments,
    )  # fmt: skip


def _check_not_raw(data: bytes, directory: Directory) -> None:
    """Refuse what a camera's sensor gave, and files whose first picture is a small copy.

    Raises:
        ImageError: it is one.
    """
    make = (directory.block(_MAKE, 64) or b"").decode("ascii", "replace").upper()
    reduced = bool((directory.number(SUBFILE) or 0) & _REDUCED)
    name = None
    if _DNG_VERSION in directory.fields:
        name = "DNG"
    elif data[8:10] == b"CR" and data[:4] in (b"II*\0", b"MM\0*"):
        name = "CR2"
    elif directory.number(PHOTOMETRIC) in _SENSOR:
        name = "of a sensor"
    elif reduced and _SUB_DIRECTORIES in directory.fields:
        name = next((raw for maker, raw in _RAW_MAKERS.items() if make.startswith(maker)), None)
    if name is not None:
        raise ImageError(
            f"RAW files ({name}) are not read, only pictures developed from them",
            fix="darktable-cli RAW_FILE PICTURE.tif",
        )
    if reduced:
        raise ImageError(
            "the first picture of the TIFF file is a reduced copy of another one",
            fix="save the full picture to a file of its own first",
        )


def _photometric(directory: Directory, compression: int) -> int:
    photometric = directory.number(PHOTOMETRIC)
    if photometric is None:
        raise ImageError("the TIFF file does not say what its samples mean (tag 262)", fix=_CONVERT)
    if photometric not in COLOURS:
        name = _NOT_READ.get(photometric, f"kind {photometric}")
        raise ImageError(f"TIFF pictures in {name} colours are not read", fix=_CONVERT)
    if photometric == CMYK and directory.number(INK_SET) not in (None, 1):
        raise ImageError("TIFF pictures of other inks than CMYK are not read", fix=_CONVERT)
    if photometric == YCBCR and compression != JPEG:
        raise ImageError("TIFF pictures in YCbCr colours without JPEG are not read", fix=_CONVERT)
    return photometric


def _depth(directory: Directory, photometric: int) -> tuple[int, int]:
    """Return the bits and the format that all samples have.

    Raises:
        ImageError: there are no such that are read.
    """
    samples = directory.number(SAMPLES) or 1
    stated = directory.numbers(BITS) or (1,)
    if len(stated) not in (1, samples) or (samples > 1 and BITS not in directory.fields):
        raise DamagedError
    bits = set(stated)
    formats = set(directory.numbers(SAMPLE_FORMAT)) or {UNSIGNED}
    depth, kind = min(bits), min(formats)
    known = _DEPTHS.get(kind, set())
    if photometric == PALETTE:
        known = known & {1, 2, 4, 8, 16}
    elif photometric == CMYK:
        known = known & {8, 16}
    elif photometric == RGB:
        known = known - {*range(1, 8)}
    known = known & PICTURE_BITS.get(directory.number(COMPRESSION) or 0, known)
    if len(bits) > 1 or len(formats) > 1 or depth not in known:
        depths = ", ".join(map(str, sorted(bits)))
        named = {SIGNED: " signed", FLOAT: " float"}.get(kind, "")
        named = named if kind in _DEPTHS else " complex"
        raise ImageError(
            f"TIFF pictures of {depths}{named} bits a sample are not read", fix=_CONVERT
        )
    return depth, kind


def _segments(directory: Directory, length: int, bits: int) -> tuple[tuple[int, int], ...]:
    """Return where every strip or tile lies, if the file holds each whole.

    Their length is known only where they are not compressed.

    Raises:
        DamagedError: one is not named, lies outside the file or is too short.
        ImageError: tiles so much larger than the picture that they only take memory.
    """
    width, height = directory.number(WIDTH) or 0, directory.number(HEIGHT) or 0
    samples = directory.number(SAMPLES) or 1
    apart = directory.number(PLANAR) == 2
    tiled = TILE_OFFSETS in directory.fields
    if tiled:
        across, down = directory.number(TILE_WIDTH) or 0, directory.number(TILE_HEIGHT) or 0
        if not across or not down:
            raise DamagedError
        if across * down > max(_TILE_PIXELS, 4 * width * height):
            raise ImageError(
                f"TIFF tiles of {across}x{down} pixels are not read in a picture of "
                f"{width}x{height}",
                fix="convert it to PNG first",
            )
        parts = ceil(width / across) * ceil(height / down)
        offsets, sizes = directory.numbers(TILE_OFFSETS), directory.numbers(TILE_BYTES)
    else:
        across, down = width, min(directory.number(ROWS_PER_STRIP) or height, height)
        parts = ceil(height / down)
        offsets, sizes = directory.numbers(STRIP_OFFSETS), directory.numbers(STRIP_BYTES)
    planes = samples if apart else 1
    plain = directory.number(COMPRESSION) == 1
    if not sizes and parts * planes == 1 and offsets and plain:
        sizes = (length - offsets[0],)  # old writers leave it out for a single strip
    if not len(offsets) == len(sizes) == parts * planes:
        raise DamagedError  # before a list is made of them: a header may ask for billions
    last = down if tiled else height - down * (parts - 1)
    lines = [*[down] * (parts - 1), last] * planes
    line = (across * bits * (1 if apart else samples) + 7) // 8 if plain else 0
    segments = tuple(zip(offsets, sizes, strict=True))
    if not all(
        at >= 8 and 0 < size <= length - at and size >= line * rows
        for (at, size), rows in zip(segments, lines, strict=True)
    ):
        raise DamagedError
    return segments
