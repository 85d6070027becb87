"""Directories of TIFF files and EXIF blocks: read as views, and written.

A block names its byte order and then holds directories of entries, 12 bytes each, in BigTIFF files
20 (TIFF 6.0, section 2; the BigTIFF design of libtiff).
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, LONG8 = 1, 2, 3, 4, 5, 7, 16
"""Types of values."""

Order = Literal["<", ">"]
"""Byte order, as `struct` writes it."""

TYPE_BYTES = {BYTE: 1, ASCII: 1, SHORT: 2, LONG: 4, RATIONAL: 8, 6: 1, UNDEFINED: 1, 8: 2, 9: 4}
TYPE_BYTES |= {10: 8, 11: 4, 12: 8, 13: 4, LONG8: 8, 17: 8, 18: 8}
"""Bytes of one value by its type."""

_NUMBERS = {SHORT: "H", LONG: "I", 13: "I", LONG8: "Q", 18: "Q"}
_MOST_NUMBERS = 1 << 20  # in one entry; a picture of the largest size has as many tiles of 16x16
_MOST_ENTRIES = 0xFFFF  # what a TIFF file can have; a BigTIFF file could have any number


@dataclass(frozen=True)
class DirectoryField:
    """One entry of a directory.

    Attributes:
        position: of the entry in the block.
        kind: the TIFF type, 3 for 16-bit and 4 for 32-bit whole numbers.
        count: number of values.
        value: the values, in the byte order of the block; a view, since a small file can name one
            large value in every one of its entries.
    """

    position: int
    kind: int
    count: int
    value: memoryview


@dataclass(frozen=True)
class Directory:
    """The entries of one image file directory.

    Attributes:
        order: `<` or `>`, as `struct` writes byte orders.
        big: it is of a BigTIFF file.
        fields: tag -> entry.
        next_position: where the offset of the following directory is stored.
        next_offset: that offset, 0 for none.
        lost: tags that are there twice, or whose values lie outside the file or are of no known
            type.
    """

    order: Order
    big: bool
    fields: dict[int, DirectoryField]
    next_position: int
    next_offset: int
    lost: frozenset[int] = frozenset()

    def number(self, tag: int) -> int | None:
        """Return the first value of a whole-number tag, None where there is none."""
        field = self.fields.get(tag)
        if field is None or field.kind not in _NUMBERS:
            return None
        return int(struct.unpack_from(f"{self.order}{_NUMBERS[field.kind]}", field.value)[0])

    def is_number(self, tag: int) -> bool:
        """Tell whether a tag that is there holds whole numbers, not negative, a million at most.

        In a small file several tags may name the same hundred megabytes.
        """
        field = self.fields.get(tag)
        return field is None or (field.kind in _NUMBERS and field.count <= _MOST_NUMBERS)

    def numbers(self, tag: int) -> tuple[int, ...]:
        """Return the values of a whole-number tag, empty where `is_number` is false or none are."""
        field = self.fields.get(tag)
        if field is None or not self.is_number(tag):
            return ()
        letter = _NUMBERS[field.kind]
        return struct.unpack(f"{self.order}{field.count}{letter}", field.value)

    def block(self, tag: int, most: int) -> bytes | None:
        """Return the bytes of a tag's values, None where there are none or more than `most`."""
        field = self.fields.get(tag)
        return None if field is None or len(field.value) > most else bytes(field.value)


def byte_order(block: bytes | memoryview) -> tuple[Order, bool] | None:
    """Return the byte order of a TIFF-structured block and whether it is BigTIFF's, or None."""
    kinds: dict[bytes, tuple[Order, bool]] = {b"II*\0": ("<", False), b"MM\0*": (">", False)}
    kinds |= {b"II+\0": ("<", True), b"MM\0+": (">", True)}
    return kinds.get(bytes(block[:4]))


def read_directory(block: bytes | memoryview, offset: int | None = None) -> Directory | None:
    """Read the directory at `offset`, by default the first one; None if it is not whole.

    An entry whose values lie outside the block is left out.
    """
    found = byte_order(block)
    if found is None:
        return None
    order, big = found
    count_letter, entry_bytes, letter, inside = ("Q", 20, "Q", 8) if big else ("H", 12, "I", 4)
    count_bytes = struct.calcsize(f"={count_letter}")
    try:
        if offset is None:
            (offset,) = struct.unpack_from(f"{order}{letter}", block, 8 if big else 4)
        (count,) = struct.unpack_from(f"{order}{count_letter}", block, offset)
        if count > _MOST_ENTRIES:
            return None
        end = offset + count_bytes + entry_bytes * count
        (following,) = struct.unpack_from(f"{order}{letter}", block, end)
    except (struct.error, OverflowError):
        return None
    fields: dict[int, DirectoryField] = {}
    lost = set()
    view = memoryview(block)
    for position in range(offset + count_bytes, end, entry_bytes):
        tag, kind, values, at = struct.unpack_from(f"{order}HH{letter}{letter}", block, position)
        size = TYPE_BYTES.get(kind, 0) * values
        start = position + entry_bytes - inside if size <= inside else at
        if tag in fields:
            lost.add(tag)
        if 0 < size <= len(block) - start:
            fields[tag] = DirectoryField(position, kind, values, view[start : start + size])
        elif values:
            lost.add(tag)
    return Directory(order, big, fields, end, following, frozenset(lost))


@dataclass(frozen=True)
class Entry:
    """An entry to be written.

    Attributes:
        tag: its number.
        kind: the TIFF type of its values.
        value: them, in the byte order of the block.
    """

    tag: int
    kind: int
    value: bytes

    @property
    def count(self) -> int:
        """Number of values."""
        return len(self.value) // TYPE_BYTES[self.kind]


def write_directory(entries: Sequence[Entry], at: int, order: Order, big: bool = False) -> bytes:
    """Return a directory, with no other behind it, and then the values that it names.

    Args:
        entries: each tag once.
        at: where in the block it will begin, even.
        order: `<` or `>`.
        big: for a BigTIFF file.
    """
    count_letter, letter, inside = ("Q", "Q", 8) if big else ("H", "I", 4)
    behind = at + (8 + 20 * len(entries) + 8 if big else 2 + 12 * len(entries) + 4)
    head = [struct.pack(f"{order}{count_letter}", len(entries))]
    values = []
    for entry in sorted(entries, key=lambda entry: entry.tag):
        head.append(struct.pack(f"{order}HH{letter}", entry.tag, entry.kind, entry.count))
        if len(entry.value) <= inside:
            head.append(entry.value.ljust(inside, b"\0"))
            continue
        head.append(struct.pack(f"{order}{letter}", behind))
        values.append(entry.value + b"\0" * (len(entry.value) % 2))
        behind += len(values[-1])
    return b"".join([*head, bytes(inside), *values])
