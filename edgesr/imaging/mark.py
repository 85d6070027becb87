"""The mark in files that edgesr wrote: the EXIF field Software, tag 305 of TIFF 6.0, names it.

A name such as `cat_x4.png` says nothing: people give such names themselves, and results get other
ones. What the field held before, the firmware of a camera most often, stands behind the mark.
"""

import struct
from dataclasses import replace

from edgesr.imaging.directory import ASCII, read_directory
from edgesr.imaging.picture import Picture

SOFTWARE = 305
MARK = b"edgesr"
"""How the field begins in a file that edgesr wrote."""

_EMPTY = b"II*\0" + struct.pack("<IHI", 8, 0, 0)  # a block with an empty directory
_MOST_BYTES = 65_527  # of a block: a JPEG segment holds 65,533, six of them "Exif\0\0"


def with_mark(picture: Picture) -> Picture:
    """Return the picture with the mark in its EXIF data.

    A block that cannot be read, or that would grow too long for a JPEG file, stays as it is.
    """
    block = marked(_EMPTY if picture.exif is None else picture.exif)
    if len(block) > _MOST_BYTES:
        return picture
    return replace(picture, exif=block if is_marked(block) else picture.exif)


def mark_before(was: bytes) -> bytes:
    """Return the value of the field with the mark, before what the field held, which may be it."""
    said = was.strip(b"\0 ")
    if said.startswith(MARK):
        return said + b"\0"
    return MARK + (b" (" + said + b")" if said else b"") + b"\0"


def marked(block: bytes) -> bytes:
    """Return an EXIF block with the mark in its first directory.

    That directory is written anew at the end, so that everything else stays at its place: maker
    notes know theirs. What cannot be read stays as it is.
    """
    directory = read_directory(block)
    if directory is None or directory.big or is_marked(block):
        return block
    order = directory.order
    before = directory.fields.get(SOFTWARE)
    was = b"" if before is None else bytes(before.value)
    text = mark_before(was)
    (at,) = struct.unpack_from(f"{order}I", block, 4)
    count = (directory.next_position - at - 2) // 12
    starts = (at + 2 + 12 * number for number in range(count))
    entries = {
        struct.unpack_from(f"{order}H", block, start)[0]: block[start : start + 12]
        for start in starts
    }
    padding = bytes(len(block) % 2)  # directories begin at even places
    start = len(block) + len(padding)
    size = 2 + 12 * len(entries.keys() | {SOFTWARE}) + 4
    entries[SOFTWARE] = struct.pack(f"{order}HHII", SOFTWARE, ASCII, len(text), start + size)
    whole = b"".join(
        [
            struct.pack(f"{order}H", len(entries)),
            *(entries[tag] for tag in sorted(entries)),
            struct.pack(f"{order}I", directory.next_offset),
            text,
        ]
    )
    return block[:4] + struct.pack(f"{order}I", start) + block[8:] + padding + whole


def is_marked(block: bytes | None) -> bool:
    """Tell whether an EXIF block has the mark."""
    directory = None if block is None else read_directory(block)
    field = None if directory is None else directory.fields.get(SOFTWARE)
    return field is not None and field.kind == ASCII and bytes(field.value).startswith(MARK)
