"""EXIF blocks made anew: of the directory of a TIFF file, and of what another format said.

EXIF data is itself a TIFF directory, so what both share needs no translation, only other places.
"""

import re
import struct
from fractions import Fraction

from edgesr.imaging.directory import (
    ASCII,
    LONG,
    LONG8,
    RATIONAL,
    SHORT,
    TYPE_BYTES,
    Directory,
    Entry,
    Order,
    read_directory,
    write_directory,
)
from edgesr.imaging.exif import EXIF_DIRECTORY, ORIENTATION
from edgesr.imaging.metadata import MOST_BYTES, Density

GPS_DIRECTORY, _INTEROP_DIRECTORY = 0x8825, 0xA005
IMAGE_DESCRIPTION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 270, 282, 283, 296
EXIF_TAGS = frozenset(
    {IMAGE_DESCRIPTION, 271, 272, ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT, 305}
    | {306, 315, 316, 33432, 0x4746, 0x4749, 0xC4A5, *range(0x9C9B, 0x9CA0)}
)
"""Tags of the first directory that EXIF data has too: description, maker, dates, resolution."""

_RESOLUTION = (X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT)
_DIRECTORIES = (EXIF_DIRECTORY, GPS_DIRECTORY)
_LAST_KIND = 13  # of TIFF; those behind it are BigTIFF's
_INCH = 2
_SHAPE = re.compile(rb'\{"shape": \[[\d, ]+\]\}\0*')
_MOST_LOOKED_AT = 1024  # bytes of a description


def from_directory(directory: Directory, data: bytes) -> tuple[bytes | None, bool]:
    """Return the EXIF data of a TIFF file as a block of its own, and whether that is all of it.

    Args:
        directory: the first one of the file.
        data: the file.
    """
    room = [MOST_BYTES]
    wanted = EXIF_TAGS - {IMAGE_DESCRIPTION} if describes_storage(directory) else EXIF_TAGS
    main = _taken(directory, wanted, room)
    found = {
        tag: _taken(inner, None, room)
        for tag in _DIRECTORIES
        if (inner := _inner(directory, data, tag)) is not None
    }
    # A resolution alone is no EXIF data; every TIFF file has one.
    says = any(entry.tag not in _RESOLUTION for entry in main) or any(found.values())
    block = _block(main, found, directory.order) if says else None
    return block, room[0] >= 0


def describes_storage(directory: Directory) -> bool:
    """Tell whether the description of a TIFF file is no text for people but how it is stored.

    tifffile, ImageJ and writers of OME-TIFF put sizes and numbers of pages there, which a new file
    has not: ImageJ would look for pages that are not there.
    """
    field = directory.fields.get(IMAGE_DESCRIPTION)
    text = b"" if field is None else bytes(field.value[:_MOST_LOOKED_AT])
    return text.startswith((b'{"shape":', b"ImageJ=")) or b"<OME " in text


def states_only_a_shape(directory: Directory) -> bool:
    """Tell whether the description says nothing but the shape of the pixels, as tifffile's does."""
    field = directory.fields.get(IMAGE_DESCRIPTION)
    return field is not None and _SHAPE.fullmatch(bytes(field.value[:_MOST_LOOKED_AT])) is not None


def entries_of(block: bytes) -> tuple[list[Entry], dict[int, list[Entry]], Order]:
    """Return the entries of an EXIF block, of the directories it names, and its byte order.

    A block that cannot be read has none.
    """
    directory = read_directory(block)
    if directory is None or directory.big:
        return [], {}, "<"
    room = [MOST_BYTES]
    found = {
        tag: _taken(inner, None, room)
        for tag in _DIRECTORIES
        if (inner := _inner(directory, block, tag)) is not None
    }
    return _taken(directory, EXIF_TAGS, room), found, directory.order


def describing(density: Density | None, comment: str | None) -> bytes | None:
    """Return an EXIF block that states a resolution and a description, None for neither."""
    entries = describing_entries(density, comment, "<")
    return _block(entries, {}, "<") if entries else None


def describing_entries(density: Density | None, comment: str | None, order: Order) -> list[Entry]:
    """Return the entries of a directory for a resolution and a description."""
    entries = []
    if density is not None:
        for tag, value in ((X_RESOLUTION, density.across), (Y_RESOLUTION, density.down)):
            ratio = Fraction(value).limit_denominator(10_000)
            above = min(ratio.numerator, 0xFFFFFFFF)
            entries.append(
                Entry(tag, RATIONAL, struct.pack(f"{order}II", above, ratio.denominator))
            )
        entries.append(Entry(RESOLUTION_UNIT, SHORT, struct.pack(f"{order}H", _INCH)))
    if comment is not None:
        entries.append(Entry(IMAGE_DESCRIPTION, ASCII, comment.encode() + b"\0"))
    return entries


def _block(main: list[Entry], inner: dict[int, list[Entry]], order: Order) -> bytes:
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(f"{order}I", 8) + laid_out(main, inner, order, 8)


def _inner(directory: Directory, data: bytes, tag: int) -> Directory | None:
    at = directory.number(tag)
    return None if at is None else read_directory(data, at)


def _taken(directory: Directory, wanted: frozenset[int] | None, room: list[int]) -> list[Entry]:
    """Return entries as long as there is room; those of BigTIFF only where TIFF has the type."""
    entries = []
    for tag, field in directory.fields.items():
        if (wanted is not None and tag not in wanted) or field.kind > _LAST_KIND:
            continue
        if wanted is None and tag in (_INTEROP_DIRECTORY, *_DIRECTORIES):
            continue  # it names a place in the old file
        room[0] -= len(field.value)
        if room[0] >= 0:
            entries.append(Entry(tag, field.kind, bytes(field.value)))
    return entries


def laid_out(
    main: list[Entry], inner: dict[int, list[Entry]], order: Order, at: int, big: bool = False
) -> bytes:
    """Return the main directory, and behind it those that it names.

    Args:
        main: its entries, without those that name others.
        inner: entries of the others, by the tag that names them.
        order: `<` or `>`.
        at: where the first byte will be in its file, even.
        big: for a BigTIFF file.
    """
    kind, letter = (LONG8, "Q") if big else (LONG, "I")

    def head(links: list[Entry]) -> bytes:
        return write_directory([*main, *links], at, order, big)

    behind = at + len(head([Entry(tag, kind, bytes(TYPE_BYTES[kind])) for tag in inner]))
    links, blocks = [], []
    for tag, entries in inner.items():
        links.append(Entry(tag, kind, struct.pack(f"{order}{letter}", behind)))
        blocks.append(write_directory(entries, behind, order, big))
        behind += len(blocks[-1])
    return b"".join([head(links), *blocks])
